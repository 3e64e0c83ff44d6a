//! A [`Plan`] as text for people.

use super::disks::{self, Fate};
use super::text::{Ink, Line, Style, hanging, human, show, wrap};
use crate::install::Phase;
use crate::install::options::{Engine, RebuildOn, Via};
use crate::install::plan::{Action, PassphraseSource, Plan, PlannedPhase};
use crate::remote::Firmware;

pub use super::facts::{render_facts, render_hosts};

/// Columns of the words in front of the header's lines.
const LABELS: usize = 11;
/// In front of a warning.
const WARNING: &str = "warning: ";

/// Draws a plan, without [`refusals`].
#[must_use]
pub fn render(plan: &Plan, style: &Style) -> String {
    let style = *style;
    let mut lines = header(plan, style);
    for disk in &plan.disks {
        lines.push(Line::new());
        lines.extend(disks::disk(disk, fate(plan), style));
    }
    section(&mut lines, disks::stacked(&plan.stacked, style));
    let untouched = disks::untouched(plan, style);
    if !untouched.is_empty() {
        section(&mut lines, headed("disks that stay as they are", untouched));
    }
    if !plan.swap.is_empty() {
        section(&mut lines, headed("swap", listed(&plan.swap, style)));
    }
    if !plan.encryption.is_empty() {
        section(&mut lines, headed("encryption", listed(&encryption(plan), style)));
    }
    section(&mut lines, headed("phases", phases(plan, style)));
    section(&mut lines, warnings(plan, style));
    show(&lines, style)
}

/// What forbids a plan, and what to do about it, below `heading`; empty if nothing does.
#[must_use]
pub fn refusals(plan: &Plan, heading: &str, style: &Style) -> String {
    let style = *style;
    if !plan.refused() {
        return String::new();
    }
    let mut lines = vec![Line::new(), Line::new().with(heading, Ink::Alarm)];
    for refusal in &plan.refusals {
        let mark = Line::new().with(style.pick("  ✗ ", "  x "), Ink::Alarm);
        lines.extend(hanging(&mark, &refusal.reason, Ink::Red, style.columns()));
        let mark = Line::new().with(style.pick("    → ", "    > "), Ink::Dim);
        lines.extend(hanging(&mark, &refusal.hint, Ink::Plain, style.columns()));
    }
    show(&lines, style)
}

/// Adds `more` after an empty line, if there is any.
fn section(lines: &mut Vec<Line>, more: Vec<Line>) {
    if !more.is_empty() {
        lines.push(Line::new());
        lines.extend(more);
    }
}

fn headed(heading: &str, lines: Vec<Line>) -> Vec<Line> {
    let mut all = vec![Line::new().with(heading, Ink::Bold)];
    all.extend(lines);
    all
}

fn listed(entries: &[String], style: Style) -> Vec<Line> {
    let lines = entries.iter().flat_map(|entry| {
        hanging(&Line::new().with("  ", Ink::Plain), entry, Ink::Plain, style.columns())
    });
    lines.collect()
}

fn header(plan: &Plan, style: Style) -> Vec<Line> {
    let target = &plan.target;
    let port = if target.port == 22 { String::new() } else { format!(", port {}", target.port) };
    let mut lines = vec![
        Line::new()
            .with(plan.host.as_str(), Ink::Bold)
            .with(&format!("  on {}@{}{port}", target.user, target.address), Ink::Plain),
    ];
    let mut add = |label: &str, text: String| {
        let label = Line::new().with("  ", Ink::Plain).with(label, Ink::Dim).pad(2 + LABELS);
        lines.extend(hanging(&label, &text, Ink::Plain, style.columns()));
    };
    add("machine", machine(plan));
    add("install", installed(plan));
    if plan.system.via == Via::Minimal {
        let place = match plan.system.rebuild_on {
            RebuildOn::Here => "built here and copied",
            RebuildOn::Target => "built on the target",
        };
        add("then", format!("the full system, {}, {place}", plan.system.full_attr));
    }
    add("platform", plan.system.system.clone());
    if let Some(persist) = &plan.system.persist_dir {
        add("persistent", persist.to_string());
    }
    for key in &plan.host_keys {
        let paths: Vec<&str> = key.paths.iter().map(AsRef::as_ref).collect();
        add("host key", format!("{}, {}", key.kind, paths.join(" and ")));
    }
    add("user", format!("{} gets the repos", target.primary_user));
    lines
}

fn machine(plan: &Plan) -> String {
    let machine = &plan.machine;
    let firmware = match machine.firmware {
        Firmware::Uefi => "UEFI",
        Firmware::Bios => "BIOS",
    };
    let os = machine.os.as_deref().unwrap_or("unknown system");
    let installer = if machine.installer { "installer" } else { "no installer" };
    let memory = human(machine.memory);
    format!("{os} ({installer}), {}, {firmware}, {memory} of memory", machine.architecture)
}

fn installed(plan: &Plan) -> String {
    let which = match plan.system.via {
        Via::Minimal => "the minimal system first",
        Via::Full => "the full system at once",
    };
    let engine = match plan.system.engine {
        Engine::Native => "",
        Engine::NixosAnywhere => ", by nixos-anywhere",
    };
    format!("{which}, {}{engine}", plan.system.install_attr)
}

fn fate(plan: &Plan) -> Fate {
    match plan.phase(Phase::Disko).map(|planned| &planned.action) {
        Some(Action::Run) if plan.refused() => Fate::Refused,
        Some(Action::Run) => Fate::Erased,
        Some(Action::Done) => Fate::Made,
        Some(Action::Skip { .. }) | None => Fate::Kept,
    }
}

fn encryption(plan: &Plan) -> Vec<String> {
    let lines = plan.encryption.iter().map(|container| {
        let source = match container.passphrase {
            PassphraseSource::OneTime => "a one-time passphrase, shown after the restart",
            PassphraseSource::Asked => "a passphrase that is asked before the first change",
        };
        let place = container.key_file.as_ref().map(|path| format!(", by {path} while disko runs"));
        format!("{}: {source}{}", container.name, place.unwrap_or_default())
    });
    lines.collect()
}

fn phases(plan: &Plan, style: Style) -> Vec<Line> {
    plan.phases.iter().flat_map(|planned| phase(planned, style)).collect()
}

fn phase(planned: &PlannedPhase, style: Style) -> Vec<Line> {
    let (mark, ink) = match planned.action {
        Action::Run => (style.pick("●", "*"), Ink::Bold),
        Action::Done => (style.pick("✓", "+"), Ink::Dim),
        Action::Skip { .. } => (style.pick("○", "-"), Ink::Dim),
    };
    let heading =
        Line::new().with(&format!("  {mark} {:<10}", planned.phase.name()), ink).with(" ", ink);
    match &planned.action {
        Action::Skip { reason } => hanging(&heading, reason, Ink::Dim, style.columns()),
        Action::Done => hanging(&heading, "done already", Ink::Dim, style.columns()),
        Action::Run if planned.changes.is_empty() => vec![heading],
        Action::Run => {
            let blank = Line::new().pad(heading.width());
            let lines = planned.changes.iter().enumerate().flat_map(|(index, change)| {
                let start = if index == 0 { heading.clone() } else { blank.clone() };
                let ink = if planned.phase == Phase::Disko { Ink::Red } else { Ink::Plain };
                hanging(&start, change, ink, style.columns())
            });
            lines.collect()
        }
    }
}

fn warnings(plan: &Plan, style: Style) -> Vec<Line> {
    let lines = plan.warnings.iter().flat_map(|text| {
        let parts = wrap(&format!("{WARNING}{text}"), style.columns() - 2);
        parts.into_iter().enumerate().map(|(index, part)| match part.strip_prefix(WARNING) {
            Some(rest) if index == 0 => {
                Line::new().with(WARNING, Ink::Yellow).with(rest, Ink::Plain)
            }
            _ => Line::new().with("  ", Ink::Plain).with(&part, Ink::Plain),
        })
    });
    lines.collect()
}

#[cfg(test)]
mod tests;
