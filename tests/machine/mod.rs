//! A model of the social part of Ridge: what it should answer, and what should then be in Redis.

mod history;
mod model;
mod operation;
mod player;
mod profiles;
mod request;
mod shown;
mod synced;

pub use history::history;
pub use operation::Op;
pub use player::Player;
