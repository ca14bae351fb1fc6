//! Calls the C++ standard library.

extern crate link_cplusplus;

unsafe extern "C" {
    /// `std::uncaught_exceptions()`
    fn _ZSt19uncaught_exceptionsv() -> i32;
}

fn main() {
    // SAFETY: the function takes nothing and may be called at any time.
    println!("exceptions: {}", unsafe { _ZSt19uncaught_exceptionsv() });
}
