//! Published examples of each format, read and, where all its parts are known, written.

use super::super::formats::{Parts, flake, ksuid, objectid, shortid, sqid, ulid, uuid, xid};

const MS: i128 = 1_000_000;
const SECOND: i128 = 1_000_000_000;

fn parts(time_ns: i128, worker: u64, sequence: u64) -> Parts {
    Parts { time_ns: Some(time_ns), worker, sequence }
}

/// RFC 9562, appendix A: 2022-02-22T14:22:22-05:00.
#[test]
fn uuids_of_the_rfc() {
    let feb_22 = 1_645_557_742 * SECOND;
    let v1 = uuid::decode("C232AB00-9414-11EC-B3C8-9F6BDECED846").unwrap();
    assert_eq!(v1, (1, parts(feb_22, 0x9f6b_dece_d846, 0x33c8)));
    let written = uuid::v1((feb_22 / 100) as u64, 0x33c8, 0x9f6b_dece_d846).unwrap();
    assert_eq!(written, "c232ab00-9414-11ec-b3c8-9f6bdeced846");

    let random = 0x18c4_dc0c_0c07_398f_u128;
    let v7 = uuid::v7(0x017f_22e2_79b0, 0xcc3, random.to_be_bytes()).unwrap();
    assert_eq!(v7, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    assert_eq!(uuid::decode(&v7).unwrap(), (7, parts(0x017f_22e2_79b0 * MS, 0, 0)));
    assert_eq!(0x017f_22e2_79b0 * MS, feb_22);

    let random = 0x9191_08f7_52d1_0320_1bac_f847_db41_48a8_u128;
    assert_eq!(uuid::v4(random.to_be_bytes()), "919108f7-52d1-4320-9bac-f847db4148a8");
    assert_eq!(uuid::decode("919108F7-52D1-4320-9BAC-F847DB4148A8").unwrap(), (4, Parts::default()));

    // Microsoft's variant, other places of the hyphens, other signs.
    for text in [
        "919108f7-52d1-4320-dbac-f847db4148a8",
        "919108f752d1-4320-9bac-f847-db4148a8",
        "919108f7-52d1-4320-9bac-f847db4148ag",
        "919108f752d143209bacf847db4148a8",
    ] {
        assert_eq!(uuid::decode(text), None, "{text}");
    }
    // The node is no network card's: its multicast bit is set.
    assert!(uuid::v1(0, 0, 1).unwrap().ends_with("-8000-010000000001"));
}

/// The ulid spec: time and the largest; the alphabet by a value of all digits.
#[test]
fn ulids_of_the_spec() {
    assert!(ulid::encode(1_469_918_176_385, 0, 0).unwrap() == "01ARYZ6S410000000000000000");
    assert_eq!(ulid::decode("01ARYZ6S41TSV4RRFFQ69G5FAV").unwrap(), parts(1_469_918_176_385 * MS, 0, 0));
    assert_eq!(ulid::decode("01aryz6s41tsv4rrffq69g5fav"), ulid::decode("01ARYZ6S41TSV4RRFFQ69G5FAV"));
    let (time, chance) = ((1_u64 << 48) - 1, (1_u128 << 80) - 1);
    assert_eq!(ulid::encode(time, chance, 0).unwrap(), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    // Not one more: neither in time nor in the count of a millisecond.
    assert_eq!((ulid::encode(time + 1, 0, 0), ulid::encode(0, chance, 1)), (None, None));
    for text in ["80000000000000000000000000", "01ARYZ6S41TSV4RRFFQ69G5FA", "01ARYZ6S41TSV4RRFFQ69G5FAU"] {
        assert_eq!(ulid::decode(text), None, "{text}");
    }
}

/// segmentio/ksuid: its README's example, the smallest and the largest.
#[test]
fn ksuids_of_the_reference() {
    let epoch = 1_400_000_000;
    let rows = [
        (107_608_047, 0xb5a1_cd34_b5f9_9d11_54fb_6853_345c_9735, "0ujtsYcgvSTl8PAuAdqWYSMnLOv"),
        (0, 0, "000000000000000000000000000"),
        (u64::from(u32::MAX), u128::MAX, "aWgEPTl1tmebfsQzFP4bxwgy80V"),
    ];
    for (secs, payload, text) in rows {
        assert_eq!(ksuid::encode(epoch + secs, payload).unwrap(), text);
        assert_eq!(ksuid::decode(text).unwrap(), parts(i128::from(epoch + secs) * SECOND, 0, 0));
    }
    for text in ["aWgEPTl1tmebfsQzFP4bxwgy80W", "zzzzzzzzzzzzzzzzzzzzzzzzzzz", "0ujtsYcgvSTl8PAuAdqWYSMnLO-"] {
        assert_eq!(ksuid::decode(text), None, "{text}");
    }
    assert_eq!((ksuid::encode(epoch - 1, 0), ksuid::encode(epoch + (1 << 32), 0)), (None, None));
}

/// rs/xid: the example of its tests.
#[test]
fn xids_of_the_reference() {
    let text = "9m4e2mr0ui3e8a215n4g";
    assert_eq!(xid::encode(1_300_816_219, 0x60_f486, 0xe428, 4_271_561).unwrap(), text);
    assert_eq!(xid::decode(text).unwrap(), parts(1_300_816_219 * SECOND, 0x60_f486_e428, 4_271_561));
    // The last sign has one bit.
    for text in ["9m4e2mr0ui3e8a215n41", "9m4e2mr0ui3e8a215n4w", "9m4e2mr0ui3e8a215n4"] {
        assert_eq!(xid::decode(text), None, "{text}");
    }
}

/// The example of MongoDB's manual: 2012-10-17T21:13:27Z.
#[test]
fn object_ids_of_the_manual() {
    let text = "507f1f77bcf86cd799439011";
    assert_eq!(objectid::decode(text).unwrap(), parts(1_350_508_407 * SECOND, 0x00bc_f86c_d799, 0x43_9011));
    assert_eq!(objectid::encode(1_350_508_407, 0x00bc_f86c_d799, 0x43_9011).unwrap(), text);
}

/// sqids-spec: the first numbers under the default alphabet.
#[test]
fn sqids_of_the_spec() {
    let published = ["bM", "Uk", "gb", "Ef", "Vq", "uw", "OI", "AX", "p6", "nJ"];
    for (number, text) in (0..).zip(published) {
        assert_eq!((sqid::encode(number).unwrap().as_str(), sqid::decode(text)), (text, Some(number)));
    }
    // Three numbers, none, and signs of another alphabet.
    for text in ["86Rf07", "", "*"] {
        assert_eq!(sqid::decode(text), None, "{text}");
    }
}

/// The bits of the page's table, written out.
#[test]
fn flakes_of_the_table() {
    let epoch = 1_325_376_000_000;
    let number = flake::snowflake(epoch + 5, 1023, 4095).unwrap();
    assert_eq!(number, 5 << 22 | 1023 << 12 | 4095);
    assert_eq!(flake::of_snowflake(number).unwrap(), parts(i128::from(epoch + 5) * MS, 1023, 4095));
    assert_eq!(flake::snowflake(epoch + (1 << 41) - 1, 1023, 4095).unwrap(), i64::MAX as u64);
    for (at, worker, n) in [(epoch - 1, 0, 0), (epoch + (1 << 41), 0, 0), (epoch, 1024, 0), (epoch, 0, 4096)] {
        assert_eq!(flake::snowflake(at, worker, n), None);
    }

    let worker = 0xabcd_1234_5678_9abc;
    let number = flake::bigflake(1_795_521_600_000, worker, 0).unwrap();
    assert_eq!(number.to_string().len(), 32);
    let told = parts(1_795_521_600_000 * MS, 0x1234_5678_9abc, 1);
    assert_eq!(flake::of_bigflake(number), told, "the low 48 bits of the node, the sequence from 1");
    assert_eq!(flake::of_bigflake(flake::bigflake(0, 0, flake::BIGFLAKES - 1).unwrap()).sequence, 65_535);
    assert_eq!(flake::bigflake(0, 0, flake::BIGFLAKES), None);
}

#[test]
fn shortids_have_nine_signs_and_up_to_two_more() {
    let epoch = 1_451_606_400_000;
    for (n, len) in [(0, 9), (1, 10), (63, 10), (64, 11), (4095, 11)] {
        let text = shortid::encode(epoch + 123_456_789_012, 37, n, 0b1_0110_0101).unwrap();
        assert_eq!(text.len(), len);
        let told = parts(i128::from(epoch + 123_456_789_012_u64) * MS, 5, n);
        assert_eq!(shortid::decode(&text).unwrap(), told, "worker 37 is 5 modulo 32");
    }
    assert_eq!(shortid::encode(epoch, 0, 4096, 0), None);
    assert_eq!((shortid::encode(epoch - 1, 0, 0, 0), shortid::encode(epoch + (1 << 40), 0, 0, 0)), (None, None));
    // Each value has two signs: the drawn bit shows, and tells nothing.
    let texts: Vec<String> = (0..512).map(|random| shortid::encode(epoch, 0, 0, random).unwrap()).collect();
    assert!(texts.iter().all(|text| shortid::decode(text) == shortid::decode(&texts[0])));
    assert_eq!(std::collections::BTreeSet::from_iter(&texts).len(), 512);
}
