//! Whole-network tests: the real binary, real sockets, real foreign stations, a real browser.
