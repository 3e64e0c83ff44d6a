//! Hashes of large texts, taken by a thread of its own while `toXML` or `toJSON` still writes them: for the `toFile`
//! that follows. The options of a system are such a text.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle, available_parallelism};

use super::Eval;
use super::arena::Arena;
use super::value::{Bytes, Context, Value};
use crate::store::{Sha256, Sha256Digest, sha256};

/// How much is hashed at a time. Texts that are shorter are hashed when that is wanted.
const CHUNK: usize = 512 * 1024;
/// How many of these may wait. A text that is written more quickly than it can be hashed is not worth it.
const WAITING: usize = 4;

/// The hash of a text that grows.
#[derive(Debug)]
pub(super) struct Growing {
    /// May there be a thread?
    is_wanted: bool,
    thread: Option<Thread>,
    /// How much of the text was seen, all of which the thread has got, if there is one.
    told: usize,
}

/// Who hashes, and the way to tell it what.
#[derive(Debug)]
struct Thread {
    chunks: SyncSender<Vec<u8>>,
    work: JoinHandle<Sha256Digest>,
}

impl Growing {
    /// The hash of a text that goes into `arena`.
    pub(super) fn for_text_in(arena: &Arena) -> Self {
        // Where addresses are few, those that a thread takes are wanted for values.
        Self { is_wanted: arena.is_unlimited(), thread: None, told: 0 }
    }

    /// Takes up what has been written of the text since.
    #[inline]
    pub(super) fn grown(&mut self, text: &[u8]) {
        if text.len() - self.told >= CHUNK {
            self.tell(text);
        }
    }

    #[cold]
    fn tell(&mut self, text: &[u8]) {
        if self.told == 0 && self.is_wanted {
            self.thread = Thread::start();
        }
        let mut chunks = text[self.told..].chunks(CHUNK).map(<[u8]>::to_vec);
        let is_lagging =
            |thread: &mut Thread| chunks.any(|chunk| thread.chunks.try_send(chunk).is_err());
        drop(self.thread.take_if(is_lagging));
        self.told = text.len();
    }

    /// The thread that has the hash of the whole `text` in the end, if there is one.
    fn finish(mut self, text: &[u8]) -> Option<JoinHandle<Sha256Digest>> {
        if self.thread.is_some() {
            self.tell(text);
        }
        self.thread.map(|thread| thread.work)
    }
}

impl Thread {
    /// A thread that hashes what it is sent, unless there is nothing for it to run on.
    fn start() -> Option<Self> {
        if available_parallelism().map_or(1, usize::from) < 2 {
            return None;
        }
        let (chunks, sent) = sync_channel::<Vec<u8>>(WAITING);
        let work = move || sent.iter().fold(Sha256::new(), |hash, chunk| hash.and(&chunk)).finish();
        let work = Builder::new().name("hash".to_owned()).spawn(work).ok()?;
        Some(Self { chunks, work })
    }
}

/// What threads know or will know, by the address of the text, which is kept.
#[derive(Debug, Default)]
pub(super) struct Digests(Vec<(usize, JoinHandle<Sha256Digest>)>);

impl<'a> Eval<'a> {
    /// A text as a string, whose hash is known soon.
    pub(super) fn hashed_string(
        &mut self,
        text: &[u8],
        context: Context,
        hash: Growing,
    ) -> Value<'a> {
        let Some(thread) = hash.finish(text) else { return self.string_with(text, context) };
        let bytes = self.arena.keeping(|| self.arena.copy((), text));
        self.digests.0.push((bytes.address(), thread));
        Value::Str(context, bytes)
    }

    /// The hash of a string.
    pub(super) fn digest_of(&mut self, bytes: Bytes<'a>) -> Sha256Digest {
        let known = &mut self.digests.0;
        let at = known.iter().position(|(address, _)| *address == bytes.address());
        let thread = at.map(|at| known.swap_remove(at).1);
        thread.and_then(|thread| thread.join().ok()).unwrap_or_else(|| sha256(bytes.items()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::io::MemoryIo;
    use crate::eval::settings::Settings;

    #[test]
    fn the_hash_of_a_text_that_grew_is_that_of_the_whole() {
        let (arena, io) = (Arena::new(), MemoryIo::new());
        let mut eval = Eval::new(&arena, &io, Settings::default());
        for len in [0, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7] {
            let (mut text, mut hash) = (Vec::new(), Growing::for_text_in(&arena));
            while text.len() < len {
                text.resize((text.len() + 1000).min(len), text.len().to_le_bytes()[1]);
                hash.grown(&text);
            }
            assert_eq!(hash.told > 0, len >= CHUNK);
            let Value::Str(_, bytes) = eval.hashed_string(&text, Context::NONE, hash) else {
                panic!("a string is expected");
            };
            assert_eq!(bytes.items(), text);
            for _ in 0..2 {
                assert_eq!(eval.digest_of(bytes), sha256(&text), "{len}");
            }
        }
    }
}
