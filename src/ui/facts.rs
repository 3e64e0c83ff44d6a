//! What a configuration says, as text for people: one host, or all of them.

use unicode_width::UnicodeWidthStr;

use super::clean::clean;
use super::disks;
use super::text::{Ink, Line, Style, hanging, show};
use super::tree::{self, Node};
use crate::facts::{HostFacts, HostSummary, KeySource, SopsSecret};

/// Columns of the words in front.
const LABELS: usize = 14;

/// Draws the facts of a host.
#[must_use]
pub fn render_facts(facts: &HostFacts, style: &Style) -> String {
    let style = *style;
    let mut lines = vec![Line::new().with(facts.name.as_str(), Ink::Bold)];
    for (label, text) in entries(facts) {
        let label = Line::new().with("  ", Ink::Plain).with(label, Ink::Dim).pad(2 + LABELS);
        lines.extend(hanging(&label, &text, Ink::Plain, style.columns()));
    }
    let nodes: Vec<Node> = facts.disko.disks.iter().map(disks::configured).collect();
    if !nodes.is_empty() {
        lines.push(Line::new());
        lines.push(Line::new().with("disks", Ink::Bold));
        lines.extend(tree::draw(&nodes, style.columns(), style));
    }
    let stacked = disks::stacked_of(&facts.disko, style);
    if !stacked.is_empty() {
        lines.push(Line::new());
        lines.extend(stacked);
    }
    show(&lines, style)
}

fn entries(facts: &HostFacts) -> Vec<(&'static str, String)> {
    let minimal = if facts.is_minimal { ", minimal" } else { "" };
    let mut entries = vec![
        ("host name", facts.host_name.clone()),
        ("platform", format!("{}{minimal}", facts.system)),
    ];
    let mut add = |label, text: Option<String>| entries.extend(text.map(|text| (label, text)));
    add("state version", facts.state_version.clone());
    add("target", target(facts));
    add("primary user", facts.primary_user.as_ref().map(ToString::to_string));
    add("persistent", facts.persist_dir.as_ref().map(ToString::to_string));
    add("ssh", Some(ssh(facts)));
    add("boot loader", Some(loaders(facts)));
    for key in &facts.ssh.host_keys {
        add("host key", Some(format!("{} {}", key.kind, key.path)));
    }
    for device in &facts.swap.devices {
        let size = device.size_mib.map(|mib| format!(", {mib} MiB")).unwrap_or_default();
        add("swap", Some(format!("{}{size}", device.device)));
    }
    if let Some(zram) = &facts.swap.zram {
        let share =
            zram.memory_percent.map(|p| format!(", {p} % of the memory")).unwrap_or_default();
        add("swap", Some(format!("zram{share}")));
    }
    for container in &facts.encryption {
        add("encrypted", Some(format!("{}, {}", container.name, key(&container.key))));
    }
    if let Some(sops) = &facts.sops {
        let names: Vec<&str> = sops.secrets.iter().map(secret_name).collect();
        add("secrets", Some(format!("{}: {}", names.len(), names.join(", "))));
        add("secrets file", sops.default_file.clone());
    }
    let outputs = facts.outputs.as_ref().map(|outputs| {
        [
            ("system", &outputs.toplevel),
            ("disko script", &outputs.disko_script),
            ("ISO image", &outputs.iso_image),
        ]
    });
    for (label, derivation) in outputs.into_iter().flatten() {
        add(label, derivation.as_ref().map(|derivation| derivation.out_path.to_string()));
    }
    entries
}

fn secret_name(secret: &SopsSecret) -> &str {
    &secret.name
}

fn target(facts: &HostFacts) -> Option<String> {
    let target = &facts.target;
    let host = target.host.as_ref()?;
    let user = target.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let port = target.port.map(|port| format!(", port {port}")).unwrap_or_default();
    let identity = target.identity_file.as_ref().map(|file| format!(", with {file}"));
    Some(format!("{user}{host}{port}{}", identity.unwrap_or_default()))
}

fn ssh(facts: &HostFacts) -> String {
    if !facts.ssh.enable {
        return "off".to_owned();
    }
    let ports: Vec<String> = facts.ssh.ports.iter().map(ToString::to_string).collect();
    let root = facts.ssh.permit_root_login.as_deref().unwrap_or("prohibit-password");
    format!("port {}, root: {root}", ports.join(", "))
}

fn loaders(facts: &HostFacts) -> String {
    let boot = &facts.boot;
    let mut names: Vec<&str> = Vec::new();
    names.extend(boot.systemd_boot.then_some("systemd-boot"));
    names.extend(boot.grub.then_some(if boot.grub_efi { "GRUB (EFI)" } else { "GRUB (BIOS)" }));
    names.extend(boot.other.iter().map(String::as_str));
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn key(source: &KeySource) -> String {
    match source {
        KeySource::PasswordFile { path } => format!("passphrase in {path}"),
        KeySource::KeyFile { path } => format!("key in {path}"),
        KeySource::Ask => "passphrase is asked".to_owned(),
        KeySource::Unset => "no key is set".to_owned(),
    }
}

/// Draws the list of hosts, one line each.
#[must_use]
pub fn render_hosts(hosts: &[HostSummary], style: &Style) -> String {
    let names = hosts.iter().map(|host| clean(&host.name).width()).max().unwrap_or(0);
    let systems = hosts.iter().map(|host| clean(&host.system).width()).max().unwrap_or(0);
    let lines: Vec<Line> = hosts
        .iter()
        .map(|host| {
            let minimal = if host.is_minimal { "minimal" } else { "" };
            Line::new()
                .with(&host.name, Ink::Bold)
                .pad(names + 2)
                .with(&host.system, Ink::Plain)
                .pad(names + 2 + systems + 2)
                .with(minimal, Ink::Dim)
        })
        .collect();
    show(&lines, *style)
}
