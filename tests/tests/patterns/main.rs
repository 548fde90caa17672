//! The patterns that are built on nurseries and scopes: PAT-01 to PAT-14.

mod children;
mod graceful;
mod graceful_servers;
mod map;
mod race;
mod service;
mod supervise;
