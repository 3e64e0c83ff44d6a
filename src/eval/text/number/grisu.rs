//! The digits that read back as the same float, by Florian Loitsch's algorithm Grisu2 ("Printing
//! Floating-Point Numbers Quickly and Accurately with Integers", 2010).
//!
//! The standard library's digits are always the shortest; Grisu2's are not for one number in several
//! hundred (`8.87e21` becomes `8.870000000000001e+21`). `builtins.toJSON` ends up in derivations, so its
//! digits must be the ones that nlohmann/json finds for C++ Nix.

/// A number `significand * 2^exponent`.
#[derive(Clone, Copy)]
struct Float {
    significand: u64,
    exponent: i32,
}

impl Float {
    /// The same number with the highest bit of the significand set.
    fn normalized(self) -> Self {
        let shift = self.significand.leading_zeros();
        // At most 64.
        Self {
            significand: self.significand << shift,
            exponent: self.exponent - shift.cast_signed(),
        }
    }

    /// The product, rounded to 64 bits.
    fn times(self, other: Self) -> Self {
        let product = u128::from(self.significand) * u128::from(other.significand);
        Self {
            significand: ((product + (1 << 63)) >> 64) as u64,
            exponent: self.exponent + other.exponent + 64,
        }
    }
}

/// The digits of a finite float above zero, and the power of ten that the first one counts.
pub(super) fn digits(value: f64) -> (String, i32) {
    let bits = value.to_bits();
    let (fraction, biased) = (bits & ((1 << 52) - 1), (bits >> 52) as i32 & 0x7FF);
    let exact = if biased == 0 {
        Float { significand: fraction, exponent: -1074 }
    } else {
        Float { significand: fraction | (1 << 52), exponent: biased - 1075 }
    };
    // Half way to the neighbours; below a power of two the neighbour is only half as far.
    let above = Float { significand: 2 * exact.significand + 1, exponent: exact.exponent - 1 };
    let above = above.normalized();
    let below = if fraction == 0 && biased > 1 {
        Float { significand: 4 * exact.significand - 1, exponent: exact.exponent - 2 }
    } else {
        Float { significand: 2 * exact.significand - 1, exponent: exact.exponent - 1 }
    };
    let below = below.significand << (below.exponent - above.exponent);

    let (power, power_exponent) = cached_power(above.exponent);
    let exact = exact.normalized().times(power);
    let below = Float { significand: below, exponent: above.exponent }.times(power);
    let above = above.times(power);
    let mut digits = Digits {
        text: String::with_capacity(17),
        distance: above.significand - 1 - exact.significand,
        room: above.significand - 1 - (below.significand + 1),
    };
    let dropped = digits.generate(above.significand - 1, above.exponent.unsigned_abs());
    let exponent = dropped - power_exponent + i32::try_from(digits.text.len()).unwrap_or(0) - 1;
    (digits.text, exponent)
}

/// The digits so far, and how far from the number one may stay.
struct Digits {
    text: String,
    /// From the highest allowed number down to the exact one.
    distance: u64,
    /// From the highest allowed number down to the lowest.
    room: u64,
}

impl Digits {
    /// Makes digits of `high`, a number with `shift` bits after the point, until the rest is within the
    /// room. Gives the power of ten that the last digit counts.
    fn generate(&mut self, high: u64, shift: u32) -> i32 {
        let one = 1u64 << shift;
        let (mut whole, mut part) = (high >> shift, high & (one - 1));
        let mut place = whole.checked_ilog10().unwrap_or(0);
        loop {
            let ten = 10u64.pow(place);
            self.push(whole / ten);
            whole %= ten;
            let rest = (whole << shift) + part;
            if rest <= self.room {
                self.approach(rest, ten << shift);
                // At most nine.
                return place.cast_signed();
            }
            if place == 0 {
                break;
            }
            place -= 1;
        }
        let mut last = 0;
        loop {
            part *= 10;
            self.push(part >> shift);
            part &= one - 1;
            last -= 1;
            self.room *= 10;
            self.distance *= 10;
            if part <= self.room {
                self.approach(part, one);
                return last;
            }
        }
    }

    fn push(&mut self, digit: u64) {
        self.text.push(char::from(b'0' + (digit % 10) as u8));
    }

    /// Lowers the last digit, of which one is worth `unit`, while that comes closer to the exact number.
    fn approach(&mut self, mut rest: u64, unit: u64) {
        let mut less = 0;
        while rest < self.distance
            && self.room - rest >= unit
            && (rest + unit < self.distance || self.distance - rest > rest + unit - self.distance)
        {
            less += 1;
            rest += unit;
        }
        if less > 0
            && let Some(last) = self.text.pop()
        {
            self.text.push(char::from((last as u8).saturating_sub(less)));
        }
    }
}

/// A power of ten, and its exponent, that brings a number of this binary exponent to one from -60 to -32.
fn cached_power(exponent: i32) -> (Float, i32) {
    let missing = -60 - exponent - 1;
    // Times log10(2), rounded up.
    let tens = missing * 78913 / (1 << 18) + i32::from(missing > 0);
    let index = (300 + tens + 7) / 8;
    let tens = 8 * index - 300;
    let significand =
        usize::try_from(index).ok().and_then(|index| POWERS.get(index)).copied().unwrap_or(0);
    // Floor of `tens` times log2(10).
    (Float { significand, exponent: ((tens * 217_706) >> 16) - 63 }, tens)
}

/// The highest 64 bits of 10 to the power -300, -292 … 324, rounded.
#[rustfmt::skip]
const POWERS: [u64; 79] = [
    0xAB70_FE17_C79A_C6CA, 0xFF77_B1FC_BEBC_DC4F, 0xBE56_91EF_416B_D60C, 0x8DD0_1FAD_907F_FC3C,
    0xD351_5C28_3155_9A83, 0x9D71_AC8F_ADA6_C9B5, 0xEA9C_2277_23EE_8BCB, 0xAECC_4991_4078_536D,
    0x823C_1279_5DB6_CE57, 0xC210_9436_4DFB_5637, 0x9096_EA6F_3848_984F, 0xD774_85CB_2582_3AC7,
    0xA086_CFCD_97BF_97F4, 0xEF34_0A98_172A_ACE5, 0xB238_67FB_2A35_B28E, 0x84C8_D4DF_D2C6_3F3B,
    0xC5DD_4427_1AD3_CDBA, 0x936B_9FCE_BB25_C996, 0xDBAC_6C24_7D62_A584, 0xA3AB_6658_0D5F_DAF6,
    0xF3E2_F893_DEC3_F126, 0xB5B5_ADA8_AAFF_80B8, 0x8762_5F05_6C7C_4A8B, 0xC9BC_FF60_34C1_3053,
    0x964E_858C_91BA_2655, 0xDFF9_7724_7029_7EBD, 0xA6DF_BD9F_B8E5_B88F, 0xF8A9_5FCF_8874_7D94,
    0xB944_7093_8FA8_9BCF, 0x8A08_F0F8_BF0F_156B, 0xCDB0_2555_6531_31B6, 0x993F_E2C6_D07B_7FAC,
    0xE45C_10C4_2A2B_3B06, 0xAA24_2499_6973_92D3, 0xFD87_B5F2_8300_CA0E, 0xBCE5_0864_9211_1AEB,
    0x8CBC_CC09_6F50_88CC, 0xD1B7_1758_E219_652C, 0x9C40_0000_0000_0000, 0xE8D4_A510_0000_0000,
    0xAD78_EBC5_AC62_0000, 0x813F_3978_F894_0984, 0xC097_CE7B_C907_15B3, 0x8F7E_32CE_7BEA_5C70,
    0xD5D2_38A4_ABE9_8068, 0x9F4F_2726_179A_2245, 0xED63_A231_D4C4_FB27, 0xB0DE_6538_8CC8_ADA8,
    0x83C7_088E_1AAB_65DB, 0xC45D_1DF9_4271_1D9A, 0x924D_692C_A61B_E758, 0xDA01_EE64_1A70_8DEA,
    0xA26D_A399_9AEF_774A, 0xF209_787B_B47D_6B85, 0xB454_E4A1_79DD_1877, 0x865B_8692_5B9B_C5C2,
    0xC835_53C5_C896_5D3D, 0x952A_B45C_FA97_A0B3, 0xDE46_9FBD_99A0_5FE3, 0xA59B_C234_DB39_8C25,
    0xF6C6_9A72_A398_9F5C, 0xB7DC_BF53_54E9_BECE, 0x88FC_F317_F222_41E2, 0xCC20_CE9B_D35C_78A5,
    0x9816_5AF3_7B21_53DF, 0xE2A0_B5DC_971F_303A, 0xA8D9_D153_5CE3_B396, 0xFB9B_7CD9_A4A7_443C,
    0xBB76_4C4C_A7A4_4410, 0x8BAB_8EEF_B640_9C1A, 0xD01F_EF10_A657_842C, 0x9B10_A4E5_E991_3129,
    0xE710_9BFB_A19C_0C9D, 0xAC28_20D9_623B_F429, 0x8044_4B5E_7AA7_CF85, 0xBF21_E440_03AC_DD2D,
    0x8E67_9C2F_5E44_FF8F, 0xD433_179D_9C8C_B841, 0x9E19_DB92_B4E3_1BA9,
];
