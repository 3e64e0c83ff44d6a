//! Facts of Nix 2.34: the same numbers through printing, `toString` and `toJSON`.

use super::{write_float, write_float_decimals, write_float_json, write_int};

fn text(write: fn(&mut Vec<u8>, f64), value: f64) -> String {
    let mut out = Vec::new();
    write(&mut out, value);
    String::from_utf8(out).unwrap()
}

#[test]
fn floats_have_three_forms() {
    // Number, printed, toString, toJSON.
    let facts: &[(f64, &str, &str, &str)] = &[
        (0.0, "0", "0.000000", "0.0"),
        (-0.0, "-0", "-0.000000", "-0.0"),
        (1.0, "1", "1.000000", "1.0"),
        (0.1, "0.1", "0.100000", "0.1"),
        (-2.5, "-2.5", "-2.500000", "-2.5"),
        (0.1 + 0.2, "0.3", "0.300000", "0.30000000000000004"),
        (1e5, "100000", "100000.000000", "100000.0"),
        (100_000.5, "100000", "100000.500000", "100000.5"),
        (999_999.5, "1e+06", "999999.500000", "999999.5"),
        (1_234_567.0, "1.23457e+06", "1234567.000000", "1234567.0"),
        (0.0001, "0.0001", "0.000100", "0.0001"),
        (1e-5, "1e-05", "0.000010", "1e-05"),
        (5e-7, "5e-07", "0.000000", "5e-07"),
        (1e15, "1e+15", "1000000000000000.000000", "1e+15"),
        (1e20, "1e+20", "100000000000000000000.000000", "1e+20"),
        (1e22, "1e+22", "10000000000000000000000.000000", "1e+22"),
        // Where the shortest digits are not the ones of nlohmann/json.
        (8.87e21, "8.87e+21", "8870000000000000524288.000000", "8.870000000000001e+21"),
        (6.93e21, "6.93e+21", "6929999999999999475712.000000", "6.929999999999999e+21"),
    ];
    for &(value, printed, to_string, json) in facts {
        assert_eq!(text(write_float, value), printed);
        assert_eq!(text(write_float_decimals, value), to_string);
        assert_eq!(text(write_float_json, value), json);
    }
}

#[test]
fn floats_that_are_no_numbers() {
    for (value, printed) in [
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
        (-f64::NAN, "-nan"),
    ] {
        assert_eq!(text(write_float, value), printed);
        assert_eq!(text(write_float_decimals, value), printed);
        assert_eq!(text(write_float_json, value), "null");
    }
}

#[test]
fn json_digits_read_back_as_the_same_float() {
    let mut bits = 0x9E37_79B9_7F4A_7C15_u64;
    let extremes =
        [f64::MIN_POSITIVE, f64::MAX, f64::EPSILON, f64::from_bits(1), 4_503_599_627_370_496.5];
    let random = std::iter::repeat_with(|| {
        bits = bits.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        f64::from_bits(bits)
    });
    for value in extremes.into_iter().chain(random.filter(|v| v.is_finite()).take(50_000)) {
        let digits = text(write_float_json, value);
        assert_eq!(digits.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{digits}");
        assert!(digits.len() <= 24, "{digits}");
    }
}

#[test]
fn integers() {
    for value in [0, 7, -1, 10, 1_234_567_890, i64::MAX, i64::MIN] {
        let mut out = Vec::new();
        write_int(&mut out, value);
        assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
    }
}
