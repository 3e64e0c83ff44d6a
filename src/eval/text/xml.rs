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

/// Appends the value of an attribute. Only the newline is escaped among the control characters: a reader
/// would turn it into a space (XML 1.0, section 3.3.3).
fn write_escaped(out: &mut Vec<u8>, value: &[u8]) {
    let mut plain = 0;
    for (at, byte) in value.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"&quot;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'&' => b"&amp;",
            b'\n' => b"&#xA;",
            _ => continue,
        };
        out.extend_from_slice(&value[plain..at]);
        out.extend_from_slice(escape);
        plain = at + 1;
    }
    out.extend_from_slice(&value[plain..]);
}
