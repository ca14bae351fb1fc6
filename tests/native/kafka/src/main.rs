//! Calls librdkafka, and C++ through cxx.

use rdkafka::config::ClientConfig;
use rdkafka::producer::BaseProducer;

#[cxx::bridge]
mod ffi {
    unsafe extern "C++" {
        include!("kafka/include/length.h");
        fn length(text: &CxxString) -> usize;
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", "127.0.0.1:9").create()?;
    drop(producer);
    println!("librdkafka {}", rdkafka::util::get_rdkafka_version().1);
    cxx::let_cxx_string!(text = "forty-two");
    println!("C++ counts {}", ffi::length(&text));
    Ok(())
}
