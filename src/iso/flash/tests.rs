use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use super::device::Medium;
use super::*;
use crate::iso::digest::Running;

/// A disk in memory, with the faults of real ones.
#[derive(Default)]
struct Fake {
    bytes: Mutex<Vec<u8>>,
    fault: Fault,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Fault {
    #[default]
    None,
    /// Takes and gives a few sectors at a time, and sometimes a part of one.
    Short,
    /// Takes nothing in the chunk that begins here.
    Full(u64),
    /// Reports an error when this chunk is written.
    Write(u64),
    /// Says that it has written, and has not.
    Drops(u64),
    /// Has only so many bytes, and goes on at its beginning.
    Wraps(u64),
    /// Reports an error when it is read from here on.
    Read(u64),
    /// Ends here when it is read.
    Ends(u64),
    /// Is pulled out when it is read from here on.
    Pulled(u64),
    /// Reports that what it has from here on is damaged.
    Damaged(u64),
    /// Keeps a flipped bit.
    Flips(u64),
    /// Reports only in the end that something was lost.
    Flush,
    /// Is interrupted by signals now and then.
    Interrupted,
}

const SECTOR: usize = 512;

impl Medium for Arc<Fake> {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        assert!(bytes.len().is_multiple_of(SECTOR) && offset.is_multiple_of(SECTOR as u64));
        assert_eq!(bytes.as_ptr().align_offset(SECTOR), 0, "memory for direct writes is aligned");
        let chunk = |from| (from..from + CHUNK as u64).contains(&offset);
        let mut memory = self.bytes.lock().unwrap();
        let mut at = usize::try_from(offset).unwrap();
        let mut length = bytes.len();
        match self.fault {
            Fault::Write(from) if chunk(from) => return Err(io::Error::from_raw_os_error(5)),
            Fault::Drops(from) if offset >= from => return Ok(length),
            Fault::Full(from) if chunk(from) => return Ok(0),
            Fault::Short => length = length.min(3 * SECTOR + at / SECTOR % 2 * 100),
            Fault::Wraps(size) => at %= usize::try_from(size).unwrap(),
            Fault::Interrupted if memory[at] != 0xee => {
                memory[at] = 0xee;
                return Err(io::ErrorKind::Interrupted.into());
            }
            _ => {}
        }
        memory[at..at + length].copy_from_slice(&bytes[..length]);
        if let Fault::Flips(place) = self.fault {
            let place = usize::try_from(place).unwrap();
            if (at..at + length).contains(&place) {
                memory[place] ^= 4;
            }
        }
        Ok(length)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let memory = self.bytes.lock().unwrap();
        let mut at = usize::try_from(offset).unwrap();
        let mut length = bytes.len();
        match self.fault {
            Fault::Read(from) if offset >= from => return Err(io::Error::from_raw_os_error(5)),
            Fault::Damaged(from) if offset >= from => {
                return Err(rustix::io::Errno::NODATA.into());
            }
            Fault::Ends(end) | Fault::Pulled(end) if offset >= end => return Ok(0),
            Fault::Short => length = length.min(5 * SECTOR),
            Fault::Wraps(size) => at %= usize::try_from(size).unwrap(),
            _ => {}
        }
        bytes[..length].copy_from_slice(&memory[at..at + length]);
        Ok(length)
    }

    fn flush(&self) -> io::Result<()> {
        if self.fault == Fault::Flush { Err(io::Error::from_raw_os_error(5)) } else { Ok(()) }
    }

    fn is_there(&self) -> bool {
        !matches!(self.fault, Fault::Pulled(_))
    }
}

/// Cancels when it hears of a stage.
struct Ear(Option<crate::iso::event::Stage>, CancellationToken, Mutex<Vec<Event>>);

impl Reporter for Ear {
    fn event(&self, event: &Event) {
        if let Event::Progress { stage, .. } = event
            && Some(*stage) == self.0
        {
            self.1.cancel();
        }
        self.2.lock().unwrap().push(event.clone());
    }
}

const LENGTH: usize = 3 * CHUNK + 1000;
const DISK: usize = 5 * CHUNK;

fn content() -> Vec<u8> {
    let mut image: Vec<u8> = (0..LENGTH).map(|at| u8::try_from(at / 7 % 251).unwrap()).collect();
    image[446..512].fill(0);
    image[510..512].copy_from_slice(&[0x55, 0xaa]);
    image
}

fn image() -> Image {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&content()).unwrap();
    Image::open(file.path()).unwrap()
}

fn write_until(
    faults: &[Fault],
    stop: Option<crate::iso::event::Stage>,
) -> (Vec<Outcome>, Vec<Arc<Fake>>) {
    let fakes: Vec<Arc<Fake>> = faults
        .iter()
        .map(|fault| Arc::new(Fake { bytes: Mutex::new(vec![0xee; DISK]), fault: *fault }))
        .collect();
    let devices = fakes.iter().enumerate().map(|(number, fake)| Device {
        path: format!("/dev/fake{number}"),
        size: DISK as u64,
        block: SECTOR,
        medium: Box::new(Arc::clone(fake)),
    });
    let cancel = CancellationToken::new();
    let ear = Ear(stop, cancel.clone(), Mutex::default());
    let image = image();
    let devices = devices.collect();
    let verify = Verify::By(Algorithm::Blake3);
    let outcomes = run(Job { image: &image, devices, verify, cancel, reporter: &ear });
    let told = ear.2.into_inner().unwrap();
    for outcome in &outcomes {
        assert!(told.contains(&Event::Ended(outcome.clone())));
    }
    (outcomes, fakes)
}

fn write(faults: &[Fault]) -> (Vec<Outcome>, Vec<Arc<Fake>>) {
    write_until(faults, None)
}

fn holds_image(fake: &Fake) -> bool {
    fake.bytes.lock().unwrap()[..LENGTH] == content()
}

#[test]
fn good_disks_get_the_image_and_keep_their_middle() {
    let (outcomes, fakes) = write(&[Fault::None, Fault::Short, Fault::Interrupted]);
    for (outcome, fake) in outcomes.iter().zip(&fakes) {
        assert_eq!((outcome.state, &outcome.error), (State::Good, &None));
        assert_eq!(outcome.written, LENGTH as u64);
        assert!(holds_image(fake));
        let bytes = fake.bytes.lock().unwrap();
        assert!(bytes[LENGTH..LENGTH.next_multiple_of(SECTOR)].iter().all(|byte| *byte == 0));
        assert_eq!(bytes[DISK - (1 << 20) - 1], 0xee);
        assert!(bytes[DISK - (1 << 20)..].iter().all(|byte| *byte == 0), "an old table is left");
    }
    let mut expected = Running::new(Algorithm::Blake3);
    expected.take(&content());
    assert!(outcomes.iter().all(|outcome| outcome.digest == Some(expected.digest())));
}

#[test]
fn a_disk_that_fails_is_told_and_the_others_go_on() {
    let end = 2 * CHUNK as u64;
    let (outcomes, fakes) =
        write(&[Fault::Write(end), Fault::None, Fault::Full(end), Fault::Flush, Fault::Write(0)]);
    for (number, text) in [
        (0, "writing at 8 MiB failed: the device reports an error"),
        (2, "writing at 8 MiB failed: it takes no more bytes"),
        (3, "what was written did not all reach the medium"),
        (4, "writing at 0 B failed"),
    ] {
        let outcome = &outcomes[number];
        assert_eq!(outcome.state, State::Incomplete);
        assert!(outcome.error.as_ref().unwrap().contains(text), "{outcome:?}");
        // What is left starts no machine.
        assert_ne!(fakes[number].bytes.lock().unwrap()[510..512], [0x55, 0xaa]);
    }
    assert_eq!(outcomes[1].state, State::Good);
    assert!(holds_image(&fakes[1]));
}

#[test]
fn disks_that_lie_are_found_out_and_it_is_said_where() {
    let (outcomes, _) = write(&[
        Fault::Drops(2 * CHUNK as u64),
        Fault::Wraps(2 * CHUNK as u64),
        Fault::Flips(CHUNK as u64 + 5),
        Fault::Flips(LENGTH as u64 - 1),
    ]);
    for (outcome, place) in outcomes.iter().zip([
        "between 8 MiB and 12 MiB",
        "between 4 MiB and 8 MiB",
        "between 4 MiB and 8 MiB",
        "between 12 MiB and 12 MiB",
    ]) {
        assert_eq!(outcome.state, State::Wrong);
        let error = outcome.error.as_ref().unwrap();
        assert!(error.contains("differs from the image") && error.contains(place), "{error}");
    }
}

#[test]
fn a_disk_that_can_not_be_read_back_is_not_called_good() {
    let from = CHUNK as u64;
    let (outcomes, fakes) =
        write(&[Fault::Read(from), Fault::Ends(from), Fault::Pulled(from), Fault::Damaged(from)]);
    for (outcome, text) in outcomes.iter().zip([
        "the device reports an error",
        "it ends there",
        "the device is gone (it ends there)",
        "its medium is damaged",
    ]) {
        assert_eq!(outcome.state, State::Unverified);
        let error = outcome.error.as_ref().unwrap();
        assert!(error.contains("reading back at 4 MiB failed") && error.contains(text), "{error}");
    }
    assert!(fakes.iter().all(|fake| holds_image(fake)));
}

#[test]
fn what_is_stopped_says_what_the_disk_is_then() {
    use crate::iso::event::Stage;
    let (outcomes, fakes) = write_until(&[Fault::None], Some(Stage::Writing));
    assert!(outcomes[0].stopped);
    assert_eq!(outcomes[0].state, State::Incomplete);
    assert!(fakes[0].bytes.lock().unwrap()[..1 << 20].iter().all(|byte| *byte == 0));
    let (outcomes, fakes) = write_until(&[Fault::None], Some(Stage::Verifying));
    assert!(outcomes[0].stopped);
    assert_eq!(outcomes[0].state, State::Unverified);
    assert!(holds_image(&fakes[0]));
}

#[test]
fn an_image_that_becomes_shorter_leaves_no_disk_that_starts() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&content()).unwrap();
    let image = Image::open(file.path()).unwrap();
    file.as_file().set_len(CHUNK as u64).unwrap();
    let fake = Arc::new(Fake { bytes: Mutex::new(vec![0xee; DISK]), fault: Fault::None });
    let device = Device {
        path: "/dev/fake".to_owned(),
        size: DISK as u64,
        block: SECTOR,
        medium: Box::new(Arc::clone(&fake)),
    };
    let cancel = CancellationToken::new();
    let ear = Ear(None, cancel.clone(), Mutex::default());
    let (devices, verify) = (vec![device], Verify::By(Algorithm::Blake3));
    let outcomes = run(Job { image: &image, devices, verify, cancel, reporter: &ear });
    assert_eq!(outcomes[0].state, State::Incomplete);
    assert!(outcomes[0].error.as_ref().unwrap().contains("it became shorter"), "{outcomes:?}");
    assert_ne!(fake.bytes.lock().unwrap()[510..512], [0x55, 0xaa]);
}
