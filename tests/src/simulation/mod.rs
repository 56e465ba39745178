//! The whole system in one process, on virtual time, with faults drawn from a seed.
//!
//! Real are the template, the state machine, the five functions' handlers with their SDK clients, and every service
//! of `local/`. Only three things are others than usual: functions run within this process ([`functions`]), their
//! clients' requests reach the services without a socket ([`connector`]), and the TLC's site is a map ([`site`]).
//! Every call passes one gate ([`gate`]), which decides by the seed whether it goes wrong and how ([`fault`]).
//! After every call the published view is read as anyone would read it ([`observer`]).

pub mod backfill;
pub mod connector;
pub mod content;
pub mod dice;
pub mod explore;
pub mod fault;
pub mod functions;
pub mod gate;
pub mod network;
pub mod observer;
pub mod scenario;
pub mod site;
pub mod world;
