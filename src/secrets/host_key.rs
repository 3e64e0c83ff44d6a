//! The host's ssh ed25519 key pair: made here, kept in a private directory, forgotten at exit.
