//! The XML that `builtins.toXML` writes: a line an element, two spaces a level.

/// Writes elements below each other. Element and attribute names are the caller's constants and written as
/// they are; attributes come in the order given, which for C++ Nix is by name.
#[derive(Debug)]
pub struct XmlWriter {
    out: Vec<u8>,
    open: Vec<&'static str>,
}

impl Default for XmlWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl XmlWriter {
    /// A document with nothing but the XML declaration.
    #[must_use]
    pub fn new() -> Self {
        Self { out: b"<?xml version='1.0' encoding='utf-8'?>\n".to_vec(), open: Vec::new() }
    }

    /// Starts an element that has others inside.
    pub fn open(&mut self, name: &'static str, attributes: &[(&str, &[u8])]) {
        self.start_tag(name, attributes);
        self.out.extend_from_slice(b">\n");
        self.open.push(name);
    }

    /// Ends the innermost open element; nothing if there is none.
    pub fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.indent();
            self.out.extend_from_slice(b"</");
            self.out.extend_from_slice(name.as_bytes());
            self.out.extend_from_slice(b">\n");
        }
    }

    /// An element with nothing inside.
    pub fn empty(&mut self, name: &'static str, attributes: &[(&str, &[u8])]) {
        self.start_tag(name, attributes);
        self.out.extend_from_slice(b" />\n");
    }

    /// The document, with every open element ended.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    /// What is written so far.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        &self.out
    }

    fn start_tag(&mut self, name: &str, attributes: &[(&str, &[u8])]) {
        self.indent();
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        for (key, value) in attributes {
            self.out.push(b' ');
            self.out.extend_from_slice(key.as_bytes());
            self.out.extend_from_slice(b"=\"");
            write_escaped(&mut self.out, value);
            self.out.push(b'"');
        }
    }

    fn indent(&mut self) {
        self.out.resize(self.out.len() + 2 * self.open.len(), b' ');
    }
}

/// Which bytes are escaped in the value of an attribute. Only the newline is among the control characters: a reader would
/// turn it into a space (XML 1.0, section 3.3.3).
const IS_ESCAPED: [bool; 256] = {
    let mut escaped = [false; 256];
    escaped[b'"' as usize] = true;
    escaped[b'<' as usize] = true;
    escaped[b'>' as usize] = true;
    escaped[b'&' as usize] = true;
    escaped[b'\n' as usize] = true;
    escaped
};

/// Appends the value of an attribute.
fn write_escaped(out: &mut Vec<u8>, value: &[u8]) {
    let mut rest = value;
    while let Some(at) = rest.iter().position(|byte| IS_ESCAPED[usize::from(*byte)])
        && let Some((plain, [byte, after @ ..])) = rest.split_at_checked(at)
    {
        out.extend_from_slice(plain);
        out.extend_from_slice(match byte {
            b'"' => b"&quot;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'&' => b"&amp;",
            _ => b"&#xA;",
        });
        rest = after;
    }
    out.extend_from_slice(rest);
}
