//! Connections against a real sshd on loopback.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use nixos_bootstrap::process::{Error, LineSink, Output, RealRunner, Runner, Stream};
use nixos_bootstrap::remote::{
    ConnectError, Connector, HostPublicKey, IdentityProblem, Login, RemoteCommand, SshConnector,
    stop_leftovers,
};
use nixos_bootstrap::secrets::HostKeyPair;

use crate::sshd::{Sshd, runs, until, user, write_key};

fn script(text: &str) -> RemoteCommand {
    RemoteCommand::script(text)
}

#[tokio::test]
async fn a_command_gives_its_output_input_and_status() {
    let sshd = Sshd::start();
    let remote = sshd.connect().await;
    let words = ["", "a b", "it's", "$(id)", "`id`", "a\nb", "\\", "*", "é", "'\"'", "-n"];
    let command = RemoteCommand::new("printf").arg("<%s>").args(words);
    let output = remote.run(&command).await.unwrap();
    let expected = format!("<{}>", words.join("><"));
    assert_eq!(output.text(), expected);

    let mut big = vec![b'x'; 3_000_000];
    big.extend([0, 255, b'\n']);
    let command = RemoteCommand::new("cat").stdin_bytes(big.clone());
    assert!(remote.run(&command).await.unwrap().stdout == big);

    let output = remote.run(&script("echo out; echo err >&2; exit 255")).await.unwrap();
    assert_eq!((output.code, output.text().as_str()), (Some(255), "out"));
    assert_eq!(output.stderr, b"err\n");
    let output = remote.run(&RemoteCommand::new("no-such-program")).await.unwrap();
    assert_eq!(output.code, Some(127));
    assert!(output.error_text().contains("no-such-program"), "{}", output.error_text());
    let output = remote.run(&script("kill -KILL $PPID")).await.unwrap();
    assert_eq!(output.code, None, "killed by a signal is no lost connection");
    assert!(remote.is_alive().await);
    remote.close().await;
    assert!(!remote.is_alive().await);
}

#[tokio::test]
async fn lines_come_as_they_are_written() {
    let sshd = Sshd::start();
    let remote = sshd.connect().await;
    let gate = sshd.path("gate");
    let text = format!(
        "echo one; while [ ! -e {} ]; do sleep 0.02; done; echo two >&2; printf three",
        gate.display()
    );
    let mut seen = Vec::new();
    let mut sink = |line: nixos_bootstrap::process::Line<'_>| {
        // The second line is only written once the first has come here.
        fs::write(&gate, "").unwrap();
        seen.push((line.stream, line.text.to_owned()));
    };
    let command = script(&text).limit(Duration::from_secs(20));
    assert!(remote.stream(&command, &mut sink).await.unwrap().ok());
    let mut seen: Vec<_> = seen.iter().map(|(stream, text)| (*stream, text.as_str())).collect();
    seen.sort_by_key(|(_, text)| *text);
    let expected = [(Stream::Stdout, "one"), (Stream::Stdout, "three"), (Stream::Stderr, "two")];
    assert_eq!(seen, expected);
}

/// A script that writes the ids of its shell, of a child and of one in a session of its own, then
/// sleeps.
fn sleeper(sshd: &Sshd) -> RemoteCommand {
    let file = sshd.path("pids");
    let text = format!(
        "sleep 300 & a=$!; setsid sleep 300 & echo $$ $a $! > {0}.new; mv {0}.new {0}; wait",
        file.display()
    );
    script(&text)
}

async fn pids(sshd: &Sshd) -> Vec<String> {
    let file = sshd.path("pids");
    until("the command runs", || file.exists()).await;
    let pids = fs::read_to_string(file).unwrap();
    pids.split_whitespace().map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn cancelling_stops_the_command_and_its_children_there() {
    let sshd = Sshd::start();
    let remote = sshd.connect().await;
    let command = sleeper(&sshd);
    let task = tokio::spawn(async move { remote.run(&command).await });
    let pids = pids(&sshd).await;
    assert!(pids.iter().all(|pid| runs(pid)));
    sshd.cancel.cancel();
    let started = Instant::now();
    assert!(matches!(task.await.unwrap(), Err(Error::Cancelled { .. })));
    assert!(started.elapsed() < Duration::from_secs(8));
    assert!(!pids.iter().any(|pid| runs(pid)), "stopped before the error comes");
}

#[tokio::test]
async fn a_command_that_does_not_want_to_end_is_killed() {
    let sshd = Sshd::start();
    let remote = sshd.connect().await;
    let file = sshd.path("pids");
    let text = format!("trap '' TERM; echo $$ > {}; while :; do sleep 0.1; done", file.display());
    let command = script(&text).limit(Duration::from_secs(1));
    let error = remote.run(&command).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    assert!(!runs(fs::read_to_string(file).unwrap().trim()));
    assert!(remote.is_alive().await, "the connection is not harmed");
}

#[tokio::test]
async fn a_run_that_is_dropped_stops_its_command_there() {
    let sshd = Sshd::start();
    let remote = sshd.connect().await;
    let command = sleeper(&sshd);
    let pids = {
        let run = remote.run(&command);
        tokio::select! {
            _ = run => panic!("it ended"),
            pids = pids(&sshd) => pids,
        }
    };
    until("the command is stopped", || !pids.iter().any(|pid| runs(pid))).await;
}

#[tokio::test]
async fn a_lost_connection_is_told_apart_and_stops_the_command() {
    let sshd = Sshd::start();
    let remote = sshd.connect().await;
    let command = sleeper(&sshd);
    let running = remote.clone();
    let task = tokio::spawn(async move { running.run(&command).await });
    let pids = pids(&sshd).await;
    sshd.cut();
    let started = Instant::now();
    let error = task.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(8));
    assert!(!remote.is_alive().await);
    assert!(matches!(remote.run(&script("echo")).await, Err(Error::Lost { .. })));
    until("the command is stopped", || !pids.iter().any(|pid| runs(pid))).await;
}

#[tokio::test]
async fn a_silent_machine_is_given_up_in_time_and_what_is_left_there_can_be_stopped() {
    assert_eq!(user(), "root", "this test runs commands as root: run it as root");
    let sshd = Sshd::start();
    let remote = sshd.connect().await;
    let command = sleeper(&sshd).as_root();
    let running = remote.clone();
    let task = tokio::spawn(async move { running.run(&command).await });
    let pids = pids(&sshd).await;
    let frozen = sshd.freeze();
    let started = Instant::now();
    let error = task.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error}");
    let waited = started.elapsed().as_secs();
    assert!((10..=20).contains(&waited), "{waited} s");

    assert!(pids.iter().all(|pid| runs(pid)), "the other side has not noticed");
    let again = sshd.connect().await;
    let alive = RemoteCommand::new("true").as_root();
    assert!(again.run(&alive).await.unwrap().ok());
    assert!(stop_leftovers(&*again).await.unwrap() >= 1);
    assert!(!pids.iter().any(|pid| runs(pid)));
    assert!(!std::path::Path::new("/run/nixos-bootstrap").join(&pids[0]).exists());
    drop(frozen);
}

#[tokio::test]
async fn all_commands_and_other_clients_share_one_handshake() {
    let sshd = Sshd::start();
    let remote = sshd.connect().await;
    for number in 0..20 {
        let output = remote.run(&RemoteCommand::new("echo").arg(number.to_string())).await;
        assert_eq!(output.unwrap().text(), number.to_string());
    }
    let (a, b) = (script("echo a"), script("echo b"));
    let both = tokio::join!(remote.run(&a), remote.run(&b));
    assert_eq!((both.0.unwrap().text(), both.1.unwrap().text()), ("a".into(), "b".into()));

    let other = |options: Vec<String>| {
        let output = Command::new("ssh").args(options).args(["127.0.0.1", "echo shared"]).output();
        output.unwrap()
    };
    let output = other(remote.ssh_options());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "shared\n");
    let from = sshd.path("from");
    fs::write(&from, "content").unwrap();
    let shell = format!("ssh {}", remote.ssh_options().join(" "));
    let to = format!("127.0.0.1:{}", sshd.path("to").display());
    let status = Command::new("rsync").arg("-e").arg(shell).arg(&from).arg(to).status();
    assert!(status.expect("this test needs rsync").success());
    assert_eq!(fs::read_to_string(sshd.path("to")).unwrap(), "content");
    assert_eq!((sshd.logins(), sshd.connections()), (1, 1), "{}", sshd.log());

    let options = remote.ssh_options();
    remote.close().await;
    assert!(!other(options).status.success(), "a closed connection is not made anew in silence");
    assert_eq!(sshd.connections(), 1);
}

#[tokio::test]
async fn a_deep_control_directory_is_no_obstacle_and_stays_private() {
    let sshd = Sshd::start();
    let mut login = sshd.login();
    login.control_dir = sshd.path(&"deep/".repeat(30)).join("with blank");
    let remote = sshd.connector().connect(&login).await.unwrap();
    assert!(remote.run(&script("true")).await.unwrap().ok());
    let options = remote.ssh_options().join(" ");
    let socket = options.split_whitespace().find_map(|word| word.strip_prefix("ControlPath="));
    let dir = std::path::Path::new(socket.unwrap()).parent().unwrap().to_owned();
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    remote.close().await;
    drop(remote);
    assert!(!dir.exists(), "{} is left behind", dir.display());

    let remote = sshd.connect().await;
    assert!(remote.ssh_options().join(" ").contains("/control/"));
    let mode = fs::metadata(sshd.path("control")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    drop(remote);
    until("nothing is left in the control directory", || {
        fs::read_dir(sshd.path("control")).unwrap().count() == 0
    })
    .await;
}

#[tokio::test]
async fn refused_unknown_and_silent_addresses_are_told_apart() {
    let sshd = Sshd::start();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    // It listens, and never says a word.
    let silent = Login { port, timeout: Duration::from_secs(1), ..sshd.login() };
    let error = sshd.refusal(&silent).await;
    assert!(matches!(error, ConnectError::TimedOut { .. }), "{error}");
    assert!(error.to_string().contains("did not answer within 1 s"), "{error}");
    drop(free);
    let error = sshd.refusal(&Login { port, ..sshd.login() }).await;
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    let address = "no-such-host.invalid".parse().unwrap();
    let error = sshd.refusal(&Login { address, ..sshd.login() }).await;
    assert!(matches!(error, ConnectError::NameNotFound { .. }), "{error}");
}

#[tokio::test]
async fn another_machine_s_key_is_shown_beside_the_expected_one() {
    let sshd = Sshd::start();
    let other = HostKeyPair::generate("x").unwrap();
    sshd.pin(other.public());
    let error = sshd.refusal(&sshd.login()).await;
    let ConnectError::HostKeyMismatch { expected, got, .. } = &error else { panic!("{error}") };
    assert_eq!(expected, &[other.fingerprint().to_owned()]);
    assert_eq!(got.as_deref(), Some(sshd.host_key.fingerprint()));
    let shown = error.to_string();
    assert!(shown.contains(other.fingerprint()), "{shown}");
    assert!(shown.contains(sshd.host_key.fingerprint()), "{shown}");

    fs::write(sshd.path("known_hosts"), "").unwrap();
    let error = sshd.refusal(&sshd.login()).await;
    let ConnectError::HostKeyUnknown { got, .. } = &error else { panic!("{error}") };
    assert_eq!(got.as_deref(), Some(sshd.host_key.fingerprint()));
    assert_eq!(sshd.logins(), 0);
    assert_eq!(fs::read(sshd.path("known_hosts")).unwrap(), b"", "ssh learns nothing by itself");
}

#[tokio::test]
async fn the_user_s_known_hosts_does_not_count() {
    let sshd = Sshd::start();
    fs::remove_file(sshd.path("known_hosts")).unwrap();
    let error = sshd.refusal(&sshd.login()).await;
    assert!(matches!(error, ConnectError::HostKeyUnknown { .. }), "{error}");
}

#[tokio::test]
async fn each_fault_of_an_identity_file_has_its_own_words() {
    let sshd = Sshd::start();
    let with = |name: &str| Login { identity: Some(sshd.path(name)), ..sshd.login() };
    let problem = async |name: &str| match sshd.refusal(&with(name)).await {
        ConnectError::Identity { problem, file } => {
            assert_eq!(file, sshd.path(name));
            problem
        }
        error => panic!("{error}"),
    };
    assert_eq!(problem("nowhere").await, IdentityProblem::Missing);
    fs::write(sshd.path("text"), "hello\n").unwrap();
    assert_eq!(problem("text").await, IdentityProblem::NotAKey);
    assert_eq!(problem("authorized").await, IdentityProblem::PublicKey);
    fs::write(sshd.path("x.ppk"), "PuTTY-User-Key-File-3: ssh-ed25519\n").unwrap();
    let IdentityProblem::Putty(command) = problem("x.ppk").await else { panic!("another problem") };
    assert!(command.starts_with("puttygen /") && command.ends_with("/x.ppk.openssh"), "{command}");
    let open = HostKeyPair::generate("x").unwrap();
    write_key(&sshd.path("open"), open.private());
    fs::set_permissions(sshd.path("open"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(problem("open").await, IdentityProblem::TooOpen(0o644));
    let broken = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    write_key(&sshd.path("broken"), &nixos_bootstrap::secrets::Secret::new(broken));
    assert_eq!(problem("broken").await, IdentityProblem::NotAKey);
    assert_eq!(sshd.logins(), 0);
}

#[tokio::test]
async fn a_wrong_key_is_named() {
    let sshd = Sshd::start();
    let wrong = HostKeyPair::generate("x").unwrap();
    write_key(&sshd.path("wrong"), wrong.private());
    let login = Login { identity: Some(sshd.path("wrong")), ..sshd.login() };
    let error = sshd.refusal(&login).await;
    let ConnectError::Authentication { offered, .. } = &error else { panic!("{error}") };
    assert_eq!(offered, &[wrong.fingerprint().to_owned()]);
    let shown = error.to_string();
    assert!(shown.contains(&user()) && shown.contains("--identity"), "{shown}");
    assert!(shown.contains(wrong.fingerprint()), "{shown}");
}

/// Runs commands with an agent at hand.
struct WithAgent(PathBuf);

#[async_trait]
impl Runner for WithAgent {
    async fn stream(
        &self,
        command: &nixos_bootstrap::process::Command,
        sink: &mut LineSink<'_>,
    ) -> Result<Output, Error> {
        let command = command.clone().env("SSH_AUTH_SOCK", &self.0);
        RealRunner::default().stream(&command, sink).await
    }
}

/// Ends with the test.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_locked_key_needs_an_agent_or_a_terminal() {
    let sshd = Sshd::start();
    let (key, socket) = (sshd.path("id"), sshd.path("agent"));
    let mut agent = Command::new("ssh-agent");
    let agent = agent.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn();
    let _agent = Agent(agent.expect("this test needs ssh-agent"));
    until("the agent listens", || socket.exists()).await;
    let run = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).arg(&key).env("SSH_AUTH_SOCK", &socket);
        assert!(command.output().unwrap().status.success(), "{program}");
    };

    // Added before it is locked, so that no passphrase has to be typed here.
    run("ssh-add", &["-q"]);
    run("ssh-keygen", &["-q", "-p", "-P", "", "-N", "secret", "-f"]);
    let connector = SshConnector::new(Arc::new(WithAgent(socket.clone())), sshd.cancel.clone());
    let remote = connector.connect(&sshd.login()).await.unwrap();
    assert!(remote.run(&script("true")).await.unwrap().ok());

    run("ssh-add", &["-q", "-d"]);
    let error = connector.connect(&sshd.login()).await.err().unwrap();
    assert_eq!(error, ConnectError::Passphrase { file: key.clone() });
    let shown = error.to_string();
    assert!(shown.contains("ssh-add") && shown.contains("terminal"), "{shown}");
    // A locked key that would be refused anyway is not worth its passphrase.
    fs::write(sshd.path("authorized"), "").unwrap();
    let error = connector.connect(&sshd.login()).await.err().unwrap();
    assert!(matches!(error, ConnectError::Authentication { .. }), "not authorised: {error}");
}

#[tokio::test]
async fn a_scan_brings_the_host_s_key() {
    let sshd = Sshd::start();
    let address = "127.0.0.1".parse().unwrap();
    let timeout = Duration::from_secs(5);
    let keys = sshd.connector().scan(&address, sshd.port, timeout).await.unwrap();
    let fingerprints: Vec<_> = keys.iter().map(HostPublicKey::fingerprint).collect();
    assert_eq!(fingerprints, [sshd.host_key.fingerprint()]);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    let short = Duration::from_secs(1);
    let error = sshd.connector().scan(&address, port, short).await.unwrap_err();
    assert!(matches!(error, ConnectError::TimedOut { .. }), "{error}");
    drop(free);
    let error = sshd.connector().scan(&address, port, timeout).await.unwrap_err();
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    let nowhere = "no-such-host.invalid".parse().unwrap();
    let error = sshd.connector().scan(&nowhere, 22, timeout).await.unwrap_err();
    assert!(matches!(error, ConnectError::NameNotFound { .. }), "{error}");
}
