//! The patterns that are built on nurseries and scopes: PAT-01 to PAT-14.

mod children;
mod graceful;
mod graceful_servers;
mod map;
mod one_event;
mod one_event_system;
mod race;
mod service;
mod supervise;
