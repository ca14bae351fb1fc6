//! What the order services say to each other.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// An order as a customer places it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOrder {
    pub item: String,
    pub quantity: NonZeroU32,
}

/// An order that has been accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: u64,
    #[serde(flatten)]
    pub details: NewOrder,
    pub status: Status,
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In the queue.
    Pending,
    /// Claimed by a worker.
    Processing,
    /// On its way to the customer.
    Shipped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_has_a_stable_json_form() -> serde_json::Result<()> {
        let json = r#"{"id":1,"item":"tea","quantity":2,"status":"pending"}"#;
        let order: Order = serde_json::from_str(json)?;
        assert_eq!(order.status, Status::Pending);
        assert_eq!(serde_json::to_string(&order)?, json);
        Ok(())
    }

    #[test]
    fn order_of_nothing_is_refused() {
        assert!(serde_json::from_str::<NewOrder>(r#"{"item":"tea","quantity":0}"#).is_err());
    }
}
