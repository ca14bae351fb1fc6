//! Everything that a build script of one's own may do: generate bindings, compile C++ and a CMake project,
//! look for a library of the system, run protoc.

mod native;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    native::build();
    tonic_prost_build::configure()
        .build_transport(false)
        .compile_protos(&["proto/greeter.proto"], &["proto"])?;
    Ok(())
}
