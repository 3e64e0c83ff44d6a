//! Pictures of whole plans.

use super::*;
use crate::install::samples::{grief, gusto};

fn style(width: usize) -> Style {
    Style { width, colour: false, unicode: true }
}

#[test]
fn show_me() {
    println!("{}", render(&gusto().plan(), &style(120)));
    println!("{}", render(&gusto().plan(), &Style { unicode: false, ..style(60) }));
    let mut case = grief();
    case.options.target = None;
    case.probe.disks.remove(0);
    println!("{}", render(&case.plan(), &Style { colour: true, ..style(80) }));
    println!("{}", render_facts(&gusto().facts, &style(80)));
}
