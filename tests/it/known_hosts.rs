//! Editing known_hosts, compared with the real ssh-keygen.
