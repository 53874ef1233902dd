//! One connection to a server that takes bytes, sends many commands in one write, and keeps errors as values.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use crate::support::Redis;

/// What a server answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Nil,
    Integer(i64),
    Text(String),
    Error(String),
    List(Vec<Answer>),
}

impl Answer {
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Error(text) => text,
            _ => "",
        }
    }

    pub fn list(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// A list of names and values, as RESP2 writes a map.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.list().chunks(2).find(|pair| pair[0].text() == name).map(|pair| &pair[1])
    }
}

pub type Words = Vec<Vec<u8>>;

pub fn words<W: AsRef<[u8]>>(words: &[W]) -> Words {
    words.iter().map(|word| word.as_ref().to_vec()).collect()
}

pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn to(redis: &Redis) -> Self {
        Self(BufReader::new(TcpStream::connect(("127.0.0.1", redis.port())).unwrap()))
    }

    pub fn run<W: AsRef<[u8]>>(&mut self, command: &[W]) -> Answer {
        self.run_all(&[words(command)]).remove(0)
    }

    pub fn run_all(&mut self, commands: &[Words]) -> Vec<Answer> {
        let mut sent = Vec::new();
        for command in commands {
            sent.extend(format!("*{}\r\n", command.len()).into_bytes());
            for word in command {
                sent.extend(format!("${}\r\n", word.len()).into_bytes());
                sent.extend(word);
                sent.extend(b"\r\n");
            }
        }
        self.0.get_mut().write_all(&sent).unwrap();
        commands.iter().map(|_| self.read()).collect()
    }

    fn read(&mut self) -> Answer {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).unwrap();
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        assert!(!text.is_empty(), "the server closed the connection");
        let (kind, rest) = text.split_at(1);
        let number = || rest.parse::<i64>().unwrap();
        match kind {
            "+" => Answer::Text(rest.to_owned()),
            "-" => Answer::Error(rest.to_owned()),
            ":" => Answer::Integer(number()),
            "$" | "*" if number() < 0 => Answer::Nil,
            "$" => {
                let mut bytes = vec![0; usize::try_from(number()).unwrap() + 2];
                self.0.read_exact(&mut bytes).unwrap();
                bytes.truncate(bytes.len() - 2);
                Answer::Text(String::from_utf8_lossy(&bytes).into_owned())
            }
            "*" => Answer::List((0..number()).map(|_| self.read()).collect()),
            _ => panic!("not RESP: {text}"),
        }
    }
}
