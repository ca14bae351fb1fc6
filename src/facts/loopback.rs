//! Addresses of the machine itself that a program listens on, as far as its sources plainly say so. Nothing outside of a
//! container reaches them.

use camino::{Utf8Path, Utf8PathBuf};
use proc_macro2::{TokenStream, TokenTree};

use super::tokens::{self, Event};

/// A source file that has the program listen to its own machine alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loopback {
    /// The file, relative to the context.
    pub source: Utf8PathBuf,
    /// The option or variable that says otherwise, where the address is only its default.
    pub option: Option<String>,
}

impl Loopback {
    /// The same as seen from the context.
    pub(super) fn below(self, context: &Utf8Path) -> Self {
        Self {
            source: super::relative(&self.source, context),
            ..self
        }
    }
}

/// What a source file says of addresses.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// What it does with one of the machine itself.
    itself: Itself,
    /// Options with such a default, and whether their names say that they are for listening.
    options: Vec<(String, bool)>,
    /// It listens.
    listens: bool,
    /// It connects.
    connects: bool,
}

/// What is done with an address of the machine itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Itself {
    #[default]
    NotNamed,
    /// It is made, for whatever it may be.
    Made,
    ListenedOn,
}

/// The file to tell of, among all of a package.
pub(super) fn first(files: &[(&Utf8Path, Said)]) -> Option<Loopback> {
    let listens = files.iter().any(|(_, said)| said.listens);
    let is_server = |said: &Said| said.listens || listens && !said.connects;
    let itself = files.iter().find(|(_, said)| match said.itself {
        Itself::NotNamed => false,
        Itself::Made => is_server(said),
        Itself::ListenedOn => true,
    });
    let by_default = || {
        files.iter().find_map(|(file, said)| {
            let mut options = said.options.iter();
            let (option, _) = options.find(|(_, plainly)| *plainly || is_server(said))?;
            Some((*file, Some(option.clone())))
        })
    };
    let found = itself.map(|(file, _)| (*file, None)).or_else(by_default);
    found.map(|(file, option)| Loopback {
        source: file.to_owned(),
        option,
    })
}

/// Functions that listen on the address that they are given.
const LISTENING: [&str; 6] = ["bind", "listen", "run", "serve", "start_server", "try_bind"];

/// Reads a source file.
pub(super) fn read(text: &str, tokens: TokenStream) -> Said {
    let mut said = Said::default();
    let mut options = Vec::new();
    let names_itself = ["127", "::1", "LOCALHOST", "localhost"];
    let code = names_itself.iter().any(|part| text.contains(part));
    let code = if code { code_of(text) } else { String::new() };
    tokens::walk(tokens, &mut |event| match event {
        Event::Call(name, arguments) => {
            said.listens |= ["bind", "listen", "serve"].iter().any(|w| name.contains(w));
            said.connects |= name.contains("connect");
            let does = match name {
                "from" | "new" => Itself::Made,
                name if LISTENING.contains(&name) => Itself::ListenedOn,
                _ => return,
            };
            let arguments = compact(&arguments.stream());
            let is_text = arguments.starts_with('"');
            if is_address(&arguments) && !(is_text && does == Itself::Made) {
                said.itself = said.itself.max(does);
            }
        }
        Event::Field(owner, name, attributes) if !code.is_empty() => {
            let mut defaults = attributes.iter().filter_map(|a| default_of(a.clone()));
            if defaults.any(|value| is_default(&value, &code)) {
                let about: String = attributes.iter().map(ToString::to_string).collect();
                options.extend(option(name, owner, &about));
            }
        }
        _ => {}
    });
    options.extend(built(&code).chain(variables(&code)));
    said.options = options;
    said
}

/// The code of a file without blanks, up to its tests.
fn code_of(text: &str) -> String {
    let program = text.split("#[cfg(test)]").next().unwrap_or_default();
    tokens::parse(program)
        .as_ref()
        .map(compact)
        .unwrap_or_default()
}

fn compact(tokens: &TokenStream) -> String {
    tokens.to_string().replace([' ', '\n'], "")
}

/// Ways to write the machine itself, without blanks.
const ITSELF: [&str; 7] = [
    "\"127.0.0.1",
    "\"[::1]",
    "\"localhost",
    "[127,0,0,1]",
    "Ipv4Addr::LOCALHOST",
    "Ipv4Addr::new(127,0,0,1)",
    "Ipv6Addr::LOCALHOST",
];

/// What may stand before it.
const BEFORE: [&str; 7] = [
    "&",
    "(",
    "IpAddr::V4(",
    "IpAddr::V6(",
    "IpAddr::from(",
    "format!(",
    "std::net::",
];

/// Whether arguments begin with an address of the machine itself, and a port that is not any.
fn is_address(arguments: &str) -> bool {
    let mut text = arguments;
    while let Some(rest) = BEFORE.iter().find_map(|part| text.strip_prefix(part)) {
        text = rest;
    }
    let rest = ITSELF.iter().find_map(|itself| text.strip_prefix(itself));
    rest.is_some_and(|rest| {
        let port = rest.trim_matches(['"', '(', ')']);
        port.starts_with([':', ',']) && ![":0", ",0"].contains(&port)
    })
}

/// The value that an attribute gives for a default, at any depth: `arg(default_value = "…")`.
fn default_of(attribute: TokenStream) -> Option<String> {
    let mut tokens = attribute.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident.to_string().starts_with("default") => {
                return match tokens.next()? {
                    TokenTree::Group(group) => Some(compact(&group.stream())),
                    mark if mark.to_string() == "=" => {
                        let value = tokens.take_while(|token| token.to_string() != ",");
                        Some(compact(&value.collect()))
                    }
                    _ => None,
                };
            }
            TokenTree::Group(group) => {
                if let Some(value) = default_of(group.stream()) {
                    return Some(value);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a value is an address of the machine itself, or the name of a function or constant that is one.
fn is_default(value: &str, code: &str) -> bool {
    let is_itself = |text: &str| {
        let named = ITSELF.iter().any(|itself| text.contains(itself));
        named && !text.contains(":0\"")
    };
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let name = value.trim_matches(|c| !is_word(c));
    let name = name.rsplit(|c| !is_word(c)).next().unwrap_or_default();
    let named = ["fn", "const", "static"].iter().any(|item| {
        let starts = [format!("{item}{name}("), format!("{item}{name}:")];
        let found = starts.iter().find_map(|start| code.split_once(start));
        // What is longer does more.
        let item = found.and_then(|(_, rest)| rest.split(['}', ';']).next());
        item.is_some_and(|item| item.len() < 100 && is_itself(item))
    });
    is_itself(value) || !name.is_empty() && named
}

/// Options that are built: `Arg::new("listen").default_value("127.0.0.1:80")`.
fn built(code: &str) -> impl Iterator<Item = (String, bool)> {
    let defaults = code.match_indices(".default_value(");
    defaults.filter_map(|(at, call)| {
        let value = code[at + call.len()..].split(')').next()?;
        let (_, name) = code[..at].rsplit_once("Arg::")?;
        let name = name.split('"').nth(1)?;
        is_default(value, code).then(|| option(name, "", ""))?
    })
}

/// Variables with something in their place: `env::var("HOST").unwrap_or("127.0.0.1".into())`.
fn variables(code: &str) -> impl Iterator<Item = (String, bool)> {
    code.split("env::var(\"").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once("\")")?;
        let value = rest.strip_prefix(".unwrap_or")?.split(')').next()?;
        is_default(value, "").then(|| option(name, "", ""))?
    })
}

/// Words in the names of addresses to listen on.
const TO_LISTEN: [&str; 4] = ["bind", "binding", "listen", "listener"];

/// Words in the names of addresses, and others that do not say what these are for.
const ADDRESS: [&str; 7] = [
    "addr",
    "address",
    "host",
    "hostname",
    "interface",
    "ip",
    "iface",
];
const PLAIN: [&str; 8] = [
    "api", "app", "http", "https", "server", "service", "socket", "web",
];

/// Words in the names of types that hold the options of a whole program, or of its server.
const OWNERS: [&str; 22] = [
    "api",
    "app",
    "application",
    "args",
    "arguments",
    "cfg",
    "cli",
    "command",
    "conf",
    "config",
    "configuration",
    "daemon",
    "http",
    "opt",
    "options",
    "opts",
    "run",
    "serve",
    "server",
    "settings",
    "start",
    "web",
];

/// The option, and whether it plainly is an address to listen on; none where it plainly is another one.
fn option(name: &str, owner: &str, about: &str) -> Option<(String, bool)> {
    let name_words = words(name);
    let has = |of: &[&str]| name_words.iter().any(|word| of.contains(&word.as_str()));
    let only = |words: &[String], of: &[&str]| words.iter().all(|word| of.contains(&word.as_str()));
    let about = about.to_lowercase();
    let plain = has(&ADDRESS) && only(&name_words, &[&ADDRESS[..], &PLAIN].concat());
    let elsewhere = ["connect", "remote", "upstream"];
    let elsewhere = elsewhere.iter().any(|word| about.contains(word));
    let plainly = has(&TO_LISTEN) || plain && about.contains("listen");
    let may_be = plain && only(&words(owner), &OWNERS);
    ((plainly || may_be) && !elsewhere).then(|| (name.to_owned(), plainly))
}

/// The words of a name, in small letters: `listen_addr`, `HTTP_HOST`, `ServerConfig`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && was_small {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words
                .last_mut()
                .expect("there is one")
                .extend(c.to_lowercase());
        }
        was_small = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of one file: the option, or `itself`.
    fn told(source: &str) -> String {
        let said = read(source, source.parse().expect("Rust"));
        let told = first(&[("a.rs".into(), said)]);
        told.map_or_else(String::new, |told| told.option.unwrap_or("itself".into()))
    }

    #[test]
    fn what_is_listened_on() {
        for source in [
            r#"TcpListener::bind("127.0.0.1:80")"#,
            r#"HttpServer::new(g).bind(("localhost", 80))"#,
            "TcpListener::bind((Ipv4Addr::LOCALHOST, 80))",
            r#"TcpListener::bind(format!("127.0.0.1:{}", port))"#,
            "warp::serve(routes).run(([127, 0, 0, 1], 3030))",
            "let a = SocketAddr::from(([127, 0, 0, 1], 80)); bind(&a)",
            "let a = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1)), 80); serve(a)",
        ] {
            assert_eq!(
                told(&format!("fn f() {{ {source} }}")),
                "itself",
                "{source}"
            );
        }
        for source in [
            r#"TcpListener::bind("0.0.0.0:80"); connect("127.0.0.1:80")"#,
            r#"TcpListener::bind("127.0.0.1:0"); bind((Ipv4Addr::LOCALHOST, 0))"#,
            "connect(SocketAddr::from(([127, 0, 0, 1], 80)))",
        ] {
            assert_eq!(told(&format!("fn f() {{ {source} }}")), "", "{source}");
        }
        let tests = r#"#[cfg(test)] mod tests { fn f() { bind("127.0.0.1:80") } }"#;
        assert_eq!(told(tests), "");
    }

    #[test]
    fn defaults_of_options() {
        let field = |attributes: &str, field: &str| {
            told(&format!(
                "struct Args {{ {attributes} {field}: String }} fn f() {{ bind(a) }}"
            ))
        };
        assert_eq!(
            field(
                r#"#[arg(long, default_value = "127.0.0.1:80")] pub"#,
                "listen"
            ),
            "listen"
        );
        assert_eq!(
            field(
                "#[arg(default_value_t = Ipv4Addr::LOCALHOST.into())]",
                "host"
            ),
            "host"
        );
        assert_eq!(
            field(
                r#"#[argh(option, default = "String::from(\"localhost\")")]"#,
                "addr"
            ),
            "addr"
        );
        assert_eq!(
            field(
                r#"#[arg(default_value = "0.0.0.0", help = "or 127.0.0.1")]"#,
                "host"
            ),
            ""
        );
        assert_eq!(
            field(r#"#[arg(default_value = "127.0.0.1")]"#, "db_host"),
            ""
        );
        assert_eq!(
            field(
                r#"/// To connect to
            #[arg(default_value = "127.0.0.1")]"#,
                "host"
            ),
            ""
        );
        let serde = |owner: &str| {
            told(&format!(
                r#"struct {owner} {{ #[serde(default = "Self::a")] host: String }}
                fn a() -> String {{ "127.0.0.1".into() }} fn f() {{ bind(a) }}"#
            ))
        };
        assert_eq!(
            (
                serde("ServerConfig").as_str(),
                serde("LedgerConfig").as_str()
            ),
            ("host", "")
        );
    }

    #[test]
    fn defaults_of_variables_and_built_options() {
        assert_eq!(
            told(
                r#"fn f() { bind(env::var("HOST").unwrap_or_else(|_| "127.0.0.1".to_string())) }"#
            ),
            "HOST"
        );
        assert_eq!(
            told(r#"fn f() { bind(env::var("DATABASE_HOST").unwrap_or("127.0.0.1".into())) }"#),
            ""
        );
        assert_eq!(
            told(r#"fn f() { Arg::new("bind").long("b").default_value("127.0.0.1") }"#),
            "bind"
        );
    }

    #[test]
    fn clients_connect() {
        let source = r#"struct Args { #[arg(default_value = "127.0.0.1")] host: String } fn f() { connect(h) }"#;
        let client = read(source, source.parse().expect("Rust"));
        let server = "fn f() { bind(a) }";
        let server = read(server, server.parse().expect("Rust"));
        assert_eq!(
            first(&[("client.rs".into(), client), ("server.rs".into(), server)]),
            None
        );
    }
}
