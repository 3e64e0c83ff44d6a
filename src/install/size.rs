//! Sizes: text of a configuration to bytes, bytes to words for people.

/// No disk is larger than this; it keeps sums from overflowing.
pub(super) const LARGEST: u64 = 1 << 60;

/// Bytes of a size such as `512M`, `8G`, `4GiB`, `4096`. The units are binary in all of the
/// programs that disko calls.
pub(super) fn bytes(text: &str) -> Result<u64, &'static str> {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (amount, unit) = text.split_at(at);
    let power = match unit.trim_start().to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 1,
        "M" | "MB" | "MIB" => 2,
        "G" | "GB" | "GIB" => 3,
        "T" | "TB" | "TIB" => 4,
        "P" | "PB" | "PIB" => 5,
        _ => return Err("a size is a whole number with K, M, G, T or P"),
    };
    if amount.is_empty() {
        return Err("a size is a whole number with K, M, G, T or P");
    }
    let amount: u64 = amount.parse().map_err(|_| "it is too large")?;
    amount.checked_mul(1 << (10 * power)).filter(|bytes| *bytes <= LARGEST).ok_or("it is too large")
}

/// `bytes` in binary units with at most one decimal: `512 MiB`, `19.5 GiB`.
#[must_use]
pub fn human(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut unit = 1_u128;
    let mut shown = String::new();
    for name in UNITS {
        unit *= 1024;
        // Tenths, rounded; 1023.95 KiB and more is called 1 MiB.
        let tenths = (u128::from(bytes) * 10 + unit / 2) / unit;
        shown = match (tenths / 10, tenths % 10) {
            (whole, 0) => format!("{whole} {name}"),
            (whole, tenth) => format!("{whole}.{tenth} {name}"),
        };
        if tenths < 10240 {
            break;
        }
    }
    shown
}

/// A configured size for people: in binary units where it is one, else as it is written.
#[must_use]
pub fn shown(text: &str) -> String {
    bytes(text).ok().filter(|bytes| *bytes > 0).map_or_else(|| text.to_owned(), human)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn human_sizes_are_exact() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (1_048_523, "1023.9 KiB"),
            (1_048_525, "1 MiB"),
            (535_822_336, "511 MiB"),
            (536_870_912, "512 MiB"),
            (20_937_965_568, "19.5 GiB"),
            (21_474_836_480, "20 GiB"),
            (256_060_514_304, "238.5 GiB"),
            (2_000_398_934_016, "1.8 TiB"),
            (1 << 60, "1 EiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(human(bytes), shown, "{bytes}");
        }
    }

    #[test]
    fn sizes_of_a_configuration_are_binary() {
        for (text, size) in [
            ("512M", 536_870_912),
            ("8G", 8_589_934_592),
            ("4GiB", 4_294_967_296),
            ("1 T", 1_099_511_627_776),
            ("2P", 2_251_799_813_685_248),
            ("16k", 16_384),
            ("4096", 4096),
            ("7B", 7),
        ] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for nonsense in ["", "G", "1.5G", "-1G", "8X", "100%", "99999999999999999999", "99999P"] {
            assert!(bytes(nonsense).is_err(), "{nonsense:?} was accepted");
        }
    }
}
