//! Calls all that the build script made, and libraries of the system.

use std::ffi::{CStr, CString, c_char, c_int};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[allow(warnings)]
mod uname {
    include!(concat!(env!("OUT_DIR"), "/uname.rs"));
}

mod greeter {
    tonic::include_proto!("greeter");
}

unsafe extern "C" {
    fn shout(text: *mut c_char) -> *mut c_char;
    fn sum(a: c_int, b: c_int) -> c_int;
    fn cap_max_bits() -> c_int;
}

fn main() {
    let text = CString::new("c++").expect("no zero in it").into_raw();
    // SAFETY: the text ends with a zero and is as long as it was.
    let text = unsafe { CString::from_raw(shout(text)) };
    // SAFETY: none of them takes a pointer that is kept.
    let (sum, bits) = unsafe { (sum(40, 2), cap_max_bits()) };
    println!("{} and {sum}, {}", text.to_string_lossy(), bits > 30);

    // SAFETY: the kernel fills it in.
    let name = unsafe {
        let mut name: uname::utsname = std::mem::zeroed();
        uname::uname(&mut name);
        CStr::from_ptr(name.sysname.as_ptr()).to_owned()
    };
    println!("bindgen: {}", name.to_string_lossy());

    let greeting = greeter::Greeting {
        text: "hello".into(),
        at: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
    };
    println!("protoc: {} bytes", prost::Message::encoded_len(&greeting));

    // SAFETY: it returns a constant.
    let zlib = unsafe { CStr::from_ptr(libz_sys::zlibVersion()) };
    println!("zlib: {}", zlib.to_string_lossy().starts_with("1."));
    println!("ALSA: {}", alsa::Output::buffer_open().is_ok());
    println!("D-Bus: {}", dbus::strings::BusName::new("org.example.Name").is_ok());
}
