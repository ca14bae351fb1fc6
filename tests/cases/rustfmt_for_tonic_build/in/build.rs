fn main() {
    tonic_build::compile_protos("proto/shop.proto").unwrap();
}
