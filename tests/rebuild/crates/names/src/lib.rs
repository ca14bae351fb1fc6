//! Reads files that cargo never hears of, as macros for migrations do.

use proc_macro::TokenStream;

/// Names and contents of the files in a folder of the crate.
#[proc_macro]
pub fn contents(folder: TokenStream) -> TokenStream {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let folder = format!("{root}/{}", folder.to_string().trim_matches('"'));
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            format!("{} {text}", entry.file_name().into_string().unwrap())
        })
        .collect();
    files.sort();
    format!("{:?}", files.join(", ")).parse().unwrap()
}
