//! A [`Plan`] as text for people.

use super::text::Style;
use crate::facts::HostFacts;
use crate::install::Plan;

/// Draws a plan.
#[must_use]
pub fn render(plan: &Plan, _style: &Style) -> String {
    plan.host.to_string()
}

/// Draws the facts of a host.
#[must_use]
pub fn render_facts(facts: &HostFacts, _style: &Style) -> String {
    facts.name.to_string()
}
