//! The watch page `/watch/ENTRY` and the embed frame `/embed/ENTRY`.
//!
//! The pages are written in TypeScript (`pages/`), built by Vite into `dist/pages`, and embedded here as files with
//! a gzip coding beside each. A page is the same for every entry and finds out from its own address which it is of.
//! Cargo never builds them: where `dist/pages` is missing, a plain page stands in their place, which says so and
//! plays where the browser can by itself.
//!
//! Deliberately not here: what is live (the pages ask the origin, as any player does), and any template.

mod answer;
mod encoding;
mod files;
mod route;
mod unbuilt;

pub use route::router;
