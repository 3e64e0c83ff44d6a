use std::io::Write;

use super::*;

/// An image of `mib` MiB that says of itself that it is `volume` bytes large.
fn iso(mib: usize, volume: usize) -> Vec<u8> {
    let mut image = vec![0; mib << 20];
    image[510..512].copy_from_slice(&[0x55, 0xaa]);
    image[32768..32775].copy_from_slice(b"\x01CD001\x01");
    image[32808..32840].copy_from_slice(format!("{:32}", "NIXOS\u{1b}[2J").as_bytes());
    image[32848..32852].copy_from_slice(&u32::try_from(volume / 2048).unwrap().to_le_bytes());
    image[32896..32898].copy_from_slice(&2048_u16.to_le_bytes());
    image
}

fn open(bytes: &[u8]) -> Result<Image, ImageError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    Image::open(file.path())
}

fn error(bytes: &[u8]) -> String {
    let error = open(bytes).unwrap_err();
    assert!(error.hint().is_some(), "{error}");
    error.to_string()
}

#[test]
fn what_an_image_is_comes_from_its_bytes() {
    let image = open(&iso(1, 1 << 20)).unwrap();
    assert_eq!((image.size, image.packing), (1 << 20, Packing::None));
    // The label can't steer the terminal.
    assert_eq!(image.content, Content::Iso { label: "NIXOS [2J".into(), hybrid: true });
    let mut plain = iso(1, 1 << 20);
    plain[510] = 0;
    assert!(matches!(open(&plain).unwrap().content, Content::Iso { hybrid: false, .. }));
    let mut gpt = vec![0; 1 << 20];
    gpt[512..520].copy_from_slice(b"EFI PART");
    gpt[544..552].copy_from_slice(&2047_u64.to_le_bytes());
    assert_eq!(open(&gpt).unwrap().content, Content::Gpt);
    let mut mbr = vec![0; 1 << 20];
    mbr[510..512].copy_from_slice(&[0x55, 0xaa]);
    assert_eq!(open(&mbr).unwrap().content, Content::Mbr);
}

#[test]
fn images_that_end_too_early_are_not_whole() {
    let ending = "is not whole: its volume needs 2097152 bytes, and there are 1048576";
    assert!(error(&iso(1, 2 << 20)).ends_with(ending));
    let mut gpt = vec![0; 1 << 20];
    gpt[512..520].copy_from_slice(b"EFI PART");
    gpt[544..552].copy_from_slice(&2048_u64.to_le_bytes());
    assert!(error(&gpt).contains("its partition table needs 1049088 bytes"));
    gpt[544..552].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(error(&gpt).contains("is not whole"));
    let mut mbr = vec![0; 1 << 20];
    mbr[510..512].copy_from_slice(&[0x55, 0xaa]);
    mbr[450] = 0x83;
    mbr[454..458].copy_from_slice(&1_u32.to_le_bytes());
    mbr[458..462].copy_from_slice(&2047_u32.to_le_bytes());
    assert_eq!(open(&mbr).unwrap().content, Content::Mbr);
    mbr[458..462].copy_from_slice(&2048_u32.to_le_bytes());
    assert!(error(&mbr).contains("its last partition needs"));
    // Boot code where a partition table would be: a FAT file system without partitions.
    mbr[54..57].copy_from_slice(b"FAT");
    assert_eq!(open(&mbr).unwrap().content, Content::Mbr);
}

#[test]
fn other_files_are_no_images() {
    let zeros = vec![0; 100_000];
    for (bytes, reason) in [
        (&b""[..], "it is empty"),
        (b"hello", "it has only 5 B"),
        (&zeros, "neither an ISO 9660 volume nor a partition table"),
        (b"\x1f\x8b\x08 and so on", "packed with gzip"),
        (b"BZh91AY", "packed with bzip2"),
        (b"PK\x03\x04....", "packed with zip"),
        (b"QFI\xfb....", "QEMU's own format"),
    ] {
        let error = error(bytes);
        assert!(error.contains("is no disk image: ") && error.contains(reason), "{error}");
    }
}

#[test]
fn a_folder_is_no_image_but_may_hold_one() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Image::open(&dir.path().join("x.iso")).unwrap_err();
    assert!(matches!(missing, ImageError::Unreadable { .. }));
    assert_eq!(Image::open(dir.path()).unwrap_err().hint(), None);
    let iso = dir.path().join("iso");
    fs::create_dir(&iso).unwrap();
    fs::write(iso.join("nixos.iso"), "").unwrap();
    let hint = Image::open(dir.path()).unwrap_err().hint().unwrap();
    assert!(hint.contains("iso/nixos.iso"), "{hint}");
}

fn zstd(image: &[u8]) -> Vec<u8> {
    // The size in the frame's header, and a checksum, as the program zstd does.
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.set_pledged_src_size(Some(image.len() as u64)).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(image).unwrap();
    encoder.finish().unwrap()
}

fn xz(image: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
    encoder.write_all(image).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_size_of_a_packed_image_is_known_and_its_bytes_come_out() {
    let image = iso(1, 1 << 20);
    let half = image.len() / 2;
    let skippable = [b"\x52\x2a\x4d\x18\x03\0\0\0abc".to_vec(), zstd(&image)].concat();
    for (packed, packing) in [
        (zstd(&image), Packing::Zstd),
        (::zstd::stream::encode_all(&image[..], 1).unwrap(), Packing::Zstd),
        ([zstd(&image[..half]), zstd(&image[half..])].concat(), Packing::Zstd),
        (skippable, Packing::Zstd),
        (xz(&image), Packing::Xz),
        ([xz(&image[..half]), vec![0; 8], xz(&image[half..]), vec![0; 4]].concat(), Packing::Xz),
    ] {
        let opened = open(&packed).unwrap();
        assert_eq!((opened.size, opened.packing), (image.len() as u64, packing));
        let mut unpacked = Vec::new();
        opened.reader().unwrap().read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == image);
    }
}

#[test]
fn a_packed_image_that_ends_anywhere_too_early_is_refused_before_it_is_unpacked() {
    let mut image = iso(1, 1 << 20);
    image[40_000..]
        .iter_mut()
        .enumerate()
        .for_each(|(at, byte)| *byte = u8::try_from(at * at / 128 % 251).unwrap());
    for packed in [zstd(&image), ::zstd::stream::encode_all(&image[..], 1).unwrap(), xz(&image)] {
        let step = packed.len() / 57;
        for end in (8..packed.len()).step_by(step).chain([packed.len() - 1]) {
            let error = open(&packed[..end]).unwrap_err();
            assert!(matches!(error, ImageError::Truncated { .. }), "{end}: {error}");
        }
    }
}

#[test]
fn damaged_and_foreign_packed_data_is_refused_and_never_a_crash() {
    let image = iso(1, 1 << 20);
    for packed in [zstd(&image), xz(&image)] {
        let garbage = [&packed[..], b"garbage!"].concat();
        assert!(open(&garbage).is_err());
        for at in 0..packed.len().min(4000) {
            let mut damaged = packed.clone();
            damaged[at] ^= 0x55;
            // Some of it is only found while unpacking; what counts is that nothing panics.
            if let Ok(image) = open(&damaged) {
                let _ = io::copy(&mut image.reader().unwrap(), &mut io::sink());
            }
        }
    }
}
