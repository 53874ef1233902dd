//! The Redis proxy for backends: `POST /` reads, `POST /redis/write` writes. A batch is one round trip however long.

mod batch;
mod read;
mod refusal;
mod write;

pub use read::read;
pub use write::write;
