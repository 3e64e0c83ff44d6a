//! Hashes and their texts. Digests of "" and "abc" are those of RFC 1321, FIPS 180-4 and BLAKE3's
//! reference implementation.

use std::io::Write;

use crate::store::{Hash, HashAlgo, HashFormat, Hasher, StoreError, base32, compress, sha256};

const EMPTY: [(HashAlgo, &str); 5] = [
    (HashAlgo::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
    (HashAlgo::Sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    (HashAlgo::Sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (
        HashAlgo::Sha512,
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
         47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    ),
    (HashAlgo::Blake3, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
];

const ABC: [(HashAlgo, &str); 5] = [
    (HashAlgo::Md5, "900150983cd24fb0d6963f7d28e17f72"),
    (HashAlgo::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (HashAlgo::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
        HashAlgo::Sha512,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
    (HashAlgo::Blake3, "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
];

#[test]
fn published_digests() {
    for (text, digests) in [("", EMPTY), ("abc", ABC)] {
        for (algo, hex) in digests {
            let hash = Hash::of(algo, text.as_bytes());
            assert_eq!(hash.to_text(HashFormat::Base16, false), hex);
            let mut hasher = Hasher::new(algo);
            for byte in text.bytes() {
                hasher.write_all(&[byte]).unwrap();
            }
            assert_eq!(hasher.written(), text.len() as u64);
            assert_eq!(hasher.finish(), hash);
        }
    }
    assert_eq!(Hash::from(sha256(b"abc")), Hash::of(HashAlgo::Sha256, b"abc"));
}

#[test]
fn every_format_comes_back() {
    for algo in HashAlgo::ALL {
        assert_eq!(HashAlgo::parse(algo.name().as_bytes()).unwrap(), algo);
        for seed in 0..50_u8 {
            let hash = Hash::of(algo, &[seed]);
            assert_eq!(Hash::from_digest(algo, hash.digest()), Some(hash));
            for format in
                [HashFormat::Base16, HashFormat::Nix32, HashFormat::Base64, HashFormat::Sri]
            {
                let text = hash.to_text(format, true);
                let read = Hash::parse_with_format(text.as_bytes(), None).unwrap();
                assert_eq!(read, (hash, format), "{text}");
                assert_eq!(Hash::parse_prefixed(text.as_bytes()).unwrap(), hash);
                let text = hash.to_text(format, false);
                let read = Hash::parse_with_format(text.as_bytes(), Some(algo)).unwrap();
                assert_eq!(read, (hash, format), "{text}");
                match format {
                    HashFormat::Sri => assert_eq!(Hash::parse_sri(text.as_bytes()).unwrap(), hash),
                    _ => assert_eq!(Hash::parse_unprefixed(text.as_bytes(), algo).unwrap(), hash),
                }
            }
        }
    }
}

#[test]
fn base_64_may_lack_its_padding_and_hex_may_be_upper_case() {
    let hash = Hash::of(HashAlgo::Sha256, b"");
    let text = b"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
    assert_eq!(Hash::parse(text, None).unwrap(), hash);
    let upper = hash.to_text(HashFormat::Base16, false).to_uppercase();
    assert_eq!(Hash::parse(upper.as_bytes(), Some(HashAlgo::Sha256)).unwrap(), hash);
}

#[test]
fn what_is_no_hash_is_refused_in_nix_s_words() {
    let sha1 = Some(HashAlgo::Sha1);
    let cases: [(&str, Option<HashAlgo>, &str); 9] = [
        (
            "abc",
            None,
            "hash 'abc' does not include a type, nor is the type otherwise known from context",
        ),
        ("abc", sha1, "hash 'abc' has wrong length for hash algorithm 'sha1'"),
        ("", sha1, "hash '' has wrong length for hash algorithm 'sha1'"),
        ("md5:abc", sha1, "hash 'md5:abc' should have type 'sha1'"),
        ("md5-abc", None, "invalid SRI hash 'abc', length 2 != expected length 16"),
        ("md5-a!c", None, "invalid SRI hash 'a!c', length 0 != expected length 16"),
        (
            "md5:zzzzzzzzzzzzzzzzzzzzzzzzzz",
            None,
            "invalid nix32 hash 'zzzzzzzzzzzzzzzzzzzzzzzzzz', length 17 != expected length 16",
        ),
        (
            "md5:0000000000000000000000000000000x",
            None,
            "invalid base16 hash '0000000000000000000000000000000x', length 0 != expected length 16",
        ),
        (
            "sha3:abc",
            None,
            "unknown hash algorithm 'sha3', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'",
        ),
    ];
    for (text, algo, message) in cases {
        let error = Hash::parse(text.as_bytes(), algo).unwrap_err();
        assert_eq!(error.to_string(), message, "{text}");
    }
    assert!(matches!(Hash::parse_prefixed(b"abc"), Err(StoreError::HashNotPrefixed(_))));
    assert!(matches!(Hash::parse_sri(b"sha1:abc"), Err(StoreError::HashNotSri(_))));
    assert!(matches!(HashFormat::parse(b"hex"), Err(StoreError::UnknownHashFormat(_))));
    assert_eq!(Hash::from_digest(HashAlgo::Md5, &[0; 17]), None);
}

#[test]
fn hashes_are_ordered_by_length_then_digest() {
    let mut hashes = HashAlgo::ALL.map(|algo| Hash::of(algo, b"x"));
    hashes.sort();
    let sizes = hashes.map(|hash| hash.digest().len());
    assert_eq!(sizes, [16, 20, 32, 32, 64]);
    assert!(hashes[2].digest() < hashes[3].digest());
}

#[test]
fn a_digest_is_folded_by_xor() {
    assert_eq!(compress(&[7; 20]), [7; 20]);
    let digest: Vec<u8> = (0..32).collect();
    let folded = compress(&digest);
    assert_eq!(folded[0], 20);
    assert_eq!(folded[11], 0x0b ^ 0x1f);
    assert_eq!(folded[12..], digest[12..20]);
}

#[test]
fn known_base_32() {
    // Nix' functional test of nix-hash: the SHA-1 of "abc".
    let sha1 = Hash::of(HashAlgo::Sha1, b"abc");
    assert_eq!(base32::encode(sha1.digest()), "kpcd173cq987hw957sx6m0868wv3x6d9");
    assert_eq!(base32::decode(b"kpcd173cq987hw957sx6m0868wv3x6d9").unwrap(), sha1.digest());
    assert_eq!(base32::encode(b""), "");
    assert_eq!(base32::encode(b"\xff"), "7z");
}

#[test]
fn base_32_of_every_length_comes_back() {
    let bytes: Vec<u8> = (0..80).map(|n: u8| n.wrapping_mul(167) ^ 0x5a | 1).collect();
    for len in 0..bytes.len() {
        let text = base32::encode(&bytes[..len]);
        assert_eq!(text.len(), base32::encoded_len(len));
        assert_eq!(base32::decode(text.as_bytes()).unwrap(), &bytes[..len]);
    }
}

#[test]
fn base_32_with_foreign_characters_or_surplus_bits() {
    for character in b"eoutEZ-=" {
        let error = base32::decode(&[b'0', *character]).unwrap_err();
        assert!(matches!(error, StoreError::Base32Character(c) if c == *character));
    }
    assert_eq!(base32::decode(b"z0").unwrap(), [0xe0, 0x03]);
    assert_eq!(base32::decode(b"7z").unwrap(), [0xff]);
}
