fn main() {
    #[cfg(feature = "napi")]
    napi_build::setup();
    println!("cargo:rerun-if-changed=migrations");
}
