//! Calls librdkafka, libsodium, and C++ through cxx.

use rdkafka::config::ClientConfig;
use rdkafka::producer::BaseProducer;

#[cxx::bridge]
mod ffi {
    unsafe extern "C++" {
        include!("compiled-at-length/include/length.h");
        fn length(text: &CxxString) -> usize;
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", "127.0.0.1:9").create()?;
    drop(producer);
    println!("librdkafka {}", rdkafka::util::get_rdkafka_version().1);
    cxx::let_cxx_string!(text = "forty-two");
    println!("C++ counts {}", ffi::length(&text));
    // SAFETY: neither takes anything.
    let (ready, size) = unsafe {
        (
            libsodium_sys::sodium_init(),
            libsodium_sys::crypto_secretbox_keybytes(),
        )
    };
    println!("libsodium: {}, keys of {size} bytes", ready >= 0);
    Ok(())
}
