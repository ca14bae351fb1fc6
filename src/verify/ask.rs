//! Asks a server: over its container's own address, so that one that listens on the loopback alone does not pass.
#![expect(
    clippy::disallowed_methods,
    reason = "the kernel's table of sockets is read"
)]

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// As it should be, and what it was.
    Good(String),
    /// Not as it should be, and how.
    Bad(String),
    /// Nothing listens there.
    Refused,
    /// The address cannot be had from this machine.
    Unreachable,
}

/// How long the network may take.
const SECOND: Duration = Duration::from_secs(1);

/// How long a connection has to hold, to be one with the server and not only with the engine.
const MOMENT: Duration = Duration::from_millis(300);

/// An address with a port, as it is written.
pub(super) fn with_port(address: &str, port: u16) -> String {
    if address.contains(':') {
        format!("[{address}]:{port}")
    } else {
        format!("{address}:{port}")
    }
}

/// Connects, and asks for a page if there is one to ask for.
pub(super) fn ask(address: &str, page: Option<&str>, expected: Option<&str>) -> Answer {
    let Ok(socket) = address.parse::<SocketAddr>() else {
        return Answer::Unreachable;
    };
    let stream = match TcpStream::connect_timeout(&socket, SECOND) {
        Ok(stream) => stream,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Answer::Refused,
        Err(_) => return Answer::Unreachable,
    };
    let answer = match page {
        None => greet(stream),
        Some(page) => get(stream, address, page).map(|response| judge(&response, page, expected)),
    };
    answer.unwrap_or(Answer::Refused)
}

/// A server need not speak first: it is enough that it does not hang up.
fn greet(mut stream: TcpStream) -> std::io::Result<Answer> {
    stream.set_read_timeout(Some(MOMENT))?;
    match stream.read(&mut [0]) {
        Ok(0) => Ok(Answer::Refused),
        Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Err(error)
        }
        _ => Ok(Answer::Good(String::new())),
    }
}

fn get(mut stream: TcpStream, address: &str, page: &str) -> std::io::Result<String> {
    stream.set_read_timeout(Some(SECOND * 5))?;
    write!(
        stream,
        "GET {page} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAccept: */*\r\n\r\n"
    )?;
    let mut response = Vec::new();
    let read = stream.take(1 << 20).read_to_end(&mut response);
    // A server may keep the connection open, or reset it: what has come counts.
    if response.is_empty() {
        read?;
    }
    Ok(String::from_utf8_lossy(&response).into_owned())
}

/// Without an expectation, any answer that is no error of the server's will do.
fn judge(response: &str, page: &str, expected: Option<&str>) -> Answer {
    let status = response.lines().next().unwrap_or_default();
    let code = status
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse::<u16>().ok());
    let body = response.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    match (code, expected) {
        _ if response.is_empty() => Answer::Refused,
        (None, _) => Answer::Bad("it does not speak HTTP".to_owned()),
        (Some(code), Some(expected)) if !body.contains(expected) => {
            Answer::Bad(format!("GET {page} gives {code} and not `{expected}`"))
        }
        (Some(code @ 400..), None) => Answer::Bad(format!("GET {page} gives {code}")),
        (Some(code), _) => Answer::Good(format!(": GET {page} gives {code}")),
    }
}

/// Where the program listens instead, from the kernel's table of its network, which this machine shows where the
/// engine runs on it.
pub(super) fn listening(process: u32, addresses: &[String], port: u16) -> Option<String> {
    let table = |name: &str| fs_err::read_to_string(format!("/proc/{process}/net/{name}")).ok();
    // With an engine elsewhere, the number is one of another process.
    let routes = table("fib_trie").filter(|_| process != 0)?;
    addresses
        .iter()
        .find(|address| routes.contains(address.as_str()))?;
    let sockets = sockets(&(table("tcp")? + &table("tcp6").unwrap_or_default()));
    Some(elsewhere(&sockets, port))
}

fn elsewhere(sockets: &BTreeSet<(IpAddr, u16)>, port: u16) -> String {
    let shown = |(address, port): &(IpAddr, u16)| with_port(&address.to_string(), *port);
    let same = sockets.iter().find(|(_, at)| *at == port);
    match same {
        Some(socket) if socket.0.is_loopback() => {
            format!(
                "it listens at {} alone, which nobody outside of the container reaches",
                shown(socket)
            )
        }
        Some(socket) => format!("it listens at {}, and does not answer", shown(socket)),
        None if sockets.is_empty() => "it does not listen, nor on any other".to_owned(),
        None => {
            let all: Vec<String> = sockets.iter().map(shown).collect();
            format!("it does not listen, but at {}", all.join(", "))
        }
    }
}

/// The listening sockets of a table of the kernel's: `sl local_address rem_address st …`, in hexadecimal.
fn sockets(table: &str) -> BTreeSet<(IpAddr, u16)> {
    const LISTENS: &str = "0A";
    let socket = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (address, port) = words.next()?.split_once(':')?;
        (words.nth(1)? == LISTENS).then_some(())?;
        // Words of four bytes, each in the order of this machine.
        let words =
            (0..address.len() / 8).map(|n| u32::from_str_radix(&address[8 * n..8 * n + 8], 16));
        let bytes: Vec<u8> = words
            .map_while(Result::ok)
            .flat_map(u32::to_ne_bytes)
            .collect();
        let address = match bytes.len() {
            4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
            _ => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
        };
        Some((address, u16::from_str_radix(port, 16).ok()?))
    };
    // Docker's own resolver listens in every network that has a name.
    let resolver = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11));
    table
        .lines()
        .filter_map(socket)
        .filter(|(address, _)| *address != resolver)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_judged() {
        let ok = "HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello";
        assert!(matches!(judge(ok, "/", None), Answer::Good(_)));
        assert!(matches!(judge(ok, "/", Some("hell")), Answer::Good(_)));
        assert!(matches!(judge(ok, "/", Some("200")), Answer::Bad(_)));
        assert!(matches!(
            judge("HTTP/1.1 404 Not Found\r\n\r\n", "/x", None),
            Answer::Bad(_)
        ));
        assert!(matches!(
            judge("HTTP/1.1 404 Not Found\r\n\r\nnope", "/x", Some("nope")),
            Answer::Good(_)
        ));
        assert!(matches!(judge("SSH-2.0", "/", None), Answer::Bad(_)));
        assert_eq!(judge("", "/", None), Answer::Refused);
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn the_table_of_the_kernel() {
        let table = "  sl  local_address rem_address   st tx_queue\n   \
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n   \
            1: 0B00007F:9C4D 00000000:0000 0A 00000000:00000000\n   \
            2: 0200000A:1F91 0100000A:0050 01 00000000:00000000\n   \
            0: 00000000000000000000000000000000:0BB8 00000000000000000000000000000000:0000 0A 0";
        let sockets = sockets(table);
        assert_eq!(sockets.len(), 2);
        assert!(elsewhere(&sockets, 8080).starts_with("it listens at 127.0.0.1:8080 alone"));
        assert_eq!(
            elsewhere(&sockets, 3000),
            "it listens at [::]:3000, and does not answer"
        );
        assert_eq!(
            elsewhere(&sockets, 80),
            "it does not listen, but at 127.0.0.1:8080, [::]:3000"
        );
    }
}
