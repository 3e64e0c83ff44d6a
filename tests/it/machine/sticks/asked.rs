//! `iso` on a terminal: which sticks are offered, and the word that erases one.

use super::Images;
use super::guest::{Guest, PARTED, PLAIN, TOOL, Terminal};

const DOWN: &str = "\u{1b}[B";

/// Starts `iso` without a device and picks stick 1.
fn picked(guest: &Guest, image: &str, stick: &str) -> (Terminal, String) {
    let mut terminal = Terminal::open(guest, "root", &format!("{TOOL} iso --image {image}"));
    terminal.until("Write the image to which disk?");
    let offered = terminal.until("to select");
    let sticks = offered.lines().filter(|line| line.contains("/dev/"));
    let place = sticks.clone().position(|line| line.contains(&format!("{stick} "))).unwrap();
    assert_eq!(sticks.count(), 2, "{offered}");
    // The first one is none.
    terminal.keys(&format!("{}\r", DOWN.repeat(place + 1)));
    (terminal, offered)
}

pub(super) fn a_stick_is_picked_and_its_name_is_typed(guest: &Guest, images: &Images) {
    let (stick, other) = (guest.stick(1), guest.stick(2));
    let before = [guest.content(1), guest.content(2)];
    let (mut terminal, offered) = picked(guest, PARTED, &stick);
    for (stick, size) in [(&stick, "32 MiB"), (&other, "24 MiB")] {
        let line = offered.lines().find(|line| line.contains(&format!("{stick} "))).unwrap();
        assert!(line.contains("Memory Stick") && line.contains(size), "{line}");
        assert!(line.contains("STICK000"), "{line}");
    }
    let built_in = ["/dev/vd", "GRIEF0001", "INSTALLER", "/dev/loop"];
    assert!(!built_in.iter().any(|word| offered.contains(word)), "{offered}");

    // The name of another one.
    let name = stick.trim_start_matches("/dev/");
    let shown = terminal.until(&format!("Erase {name}?"));
    assert!(shown.contains("EVERYTHING ON IT WILL BE ERASED"), "{shown}");
    terminal.until("to go on");
    terminal.keys(&format!("{}\r", other.trim_start_matches("/dev/")));
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(3), "{shown}");
    assert!(shown.contains("nothing was erased"), "{shown}");
    assert!([guest.content(1), guest.content(2)] == before);

    let (mut terminal, _) = picked(guest, PARTED, &stick);
    terminal.until("to go on");
    terminal.keys(&format!("{name}\r"));
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("read back and compared in"), "{shown}");
    assert!(!shown.contains("warning"), "{shown}");
    guest.assert_holds(1, &images.parted);
    assert!(guest.content(2) == before[1]);
    assert_eq!(guest.partitions(&stick), super::PARTITIONS);
}

/// Between the question and the answer the stick is pulled out and put in again: that may as well be another one.
pub(super) fn a_stick_that_was_changed_meanwhile_is_not_written(guest: &Guest, _: &Images) {
    let stick = guest.stick(1);
    let name = stick.trim_start_matches("/dev/");
    let before = guest.content(1);
    let (mut terminal, _) = picked(guest, PLAIN, &stick);
    terminal.until("to go on");
    guest.put_in_again(&stick);
    // While somebody has the old one open, its name is in use.
    let (expected, told) = if guest.stick(1) == stick {
        (4, "is another medium than the one that was confirmed")
    } else {
        (2, "there is no /dev/sd")
    };
    terminal.keys(&format!("{name}\r"));
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(expected), "{shown}");
    assert!(shown.contains(told), "{shown}");
    assert!(guest.content(1) == before);
}
