//! Looking up the title of a web page.

use std::time::Duration;

use reqwest::{Client, Url};

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
const TIMEOUT: Duration = Duration::from_secs(5);

/// A title further down the page than this is not found.
const MAX_BYTES: usize = 256 * 1024;

#[derive(Clone)]
pub struct TitleFetcher {
    client: Client,
}

impl TitleFetcher {
    pub fn new() -> reqwest::Result<Self> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self { client })
    }

    /// The title of the page at `url`, if it has one.
    pub async fn fetch(&self, url: Url) -> reqwest::Result<Option<String>> {
        let mut response = self.client.get(url).send().await?.error_for_status()?;
        let mut page = Vec::new();
        while page.len() < MAX_BYTES {
            let Some(chunk) = response.chunk().await? else {
                break;
            };
            page.extend_from_slice(&chunk);
        }
        Ok(extract(&String::from_utf8_lossy(&page)))
    }
}

/// The text of the first `<title>` element, with its white space collapsed.
fn extract(html: &str) -> Option<String> {
    // Lowers ASCII only, so that positions stay the same.
    let lower = html.to_ascii_lowercase();
    let tag = lower.find("<title")?;
    let start = tag + lower[tag..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;

    let text = html_escape::decode_html_entities(&html[start..end]);
    let title = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::extract;

    #[test]
    fn extracts_titles() {
        let html = "<HTML><Title lang=en>\n  Fish &amp;\n Chips </TITLE><p>text</p>";
        assert_eq!(extract(html).as_deref(), Some("Fish & Chips"));
    }

    #[test]
    fn finds_no_title_where_there_is_none() {
        for html in ["", "<p>text</p>", "<title> </title>", "<title>cut off"] {
            assert_eq!(extract(html), None, "{html:?}");
        }
    }
}
