//! The orders, in memory.

use orders_model::{NewOrder, Order, Status};

/// Orders in the sequence in which they were placed.
#[derive(Default)]
pub struct Queue {
    orders: Vec<Order>,
}

impl Queue {
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    pub fn place(&mut self, details: NewOrder) -> Order {
        let order = Order {
            id: self.orders.last().map_or(1, |last| last.id + 1),
            details,
            status: Status::Pending,
        };
        self.orders.push(order.clone());
        order
    }

    /// Hands out the oldest pending order, if there is one.
    pub fn claim(&mut self) -> Option<Order> {
        self.advance(Status::Processing, |order| order.status == Status::Pending)
    }

    /// Marks a claimed order as shipped; `None` if no such order is claimed.
    pub fn ship(&mut self, id: u64) -> Option<Order> {
        self.advance(Status::Shipped, |order| {
            order.id == id && order.status == Status::Processing
        })
    }

    /// Moves the first order that `matches` on to `status`.
    fn advance(&mut self, status: Status, matches: impl Fn(&Order) -> bool) -> Option<Order> {
        let order = self.orders.iter_mut().find(|order| matches(order))?;
        order.status = status;
        Some(order.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn order(item: &str) -> NewOrder {
        NewOrder {
            item: item.to_owned(),
            quantity: NonZeroU32::MIN,
        }
    }

    #[test]
    fn first_in_first_out() {
        let mut queue = Queue::default();
        let tea = queue.place(order("tea"));
        let milk = queue.place(order("milk"));

        let claimed = [queue.claim(), queue.claim(), queue.claim()].map(|o| o.map(|o| o.id));

        assert_eq!(claimed, [Some(tea.id), Some(milk.id), None]);
    }

    #[test]
    fn only_claimed_orders_can_be_shipped() {
        let mut queue = Queue::default();
        let id = queue.place(order("tea")).id;

        assert_eq!(queue.ship(id), None);
        queue.claim();
        assert_eq!(queue.ship(id).map(|o| o.status), Some(Status::Shipped));
        assert_eq!(queue.ship(id), None);
    }
}
