//! Values that JSON and the binary codec write differently.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known};

/// Free JSON: itself in JSON, its text in binary (bincode cannot tell types from bytes).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Json(pub serde_json::Value);

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { self.0.serialize(s) } else { s.serialize_str(&self.0.to_string()) }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Json, D::Error> {
        if d.is_human_readable() {
            return serde_json::Value::deserialize(d).map(Json);
        }
        let text = String::deserialize(d)?;
        serde_json::from_str(&text).map(Json).map_err(de::Error::custom)
    }
}

impl JsonSchema for Json {
    fn schema_name() -> Cow<'static, str> {
        "Json".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "any JSON" })
    }
}

/// Bytes: base64 in JSON, themselves in binary.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.serialize_str(&STANDARD.encode(&self.0)) } else { s.serialize_bytes(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Bytes, D::Error> {
        struct Binary;
        impl de::Visitor<'_> for Binary {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        if d.is_human_readable() {
            let text = Cow::<str>::deserialize(d)?;
            return STANDARD
                .decode(text.as_bytes())
                .map(Bytes)
                .map_err(|e| de::Error::custom(format!("not base64: {e}")));
        }
        d.deserialize_byte_buf(Binary)
    }
}

impl JsonSchema for Bytes {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "byte" })
    }
}

/// A moment, in nanoseconds since 1970 UTC: RFC 3339 text in JSON, the number in binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rfc3339(pub i64);

impl Rfc3339 {
    /// So much later; the last moment there is (in 2262) when that is too far.
    pub fn plus(self, by: Duration) -> Rfc3339 {
        Rfc3339(self.0.saturating_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// How long until `later`; nothing when that is past.
    pub fn until(self, later: Rfc3339) -> Duration {
        Duration::from_nanos(u64::try_from(i128::from(later.0) - i128::from(self.0)).unwrap_or(0))
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if !s.is_human_readable() {
            return s.serialize_i64(self.0);
        }
        let text = OffsetDateTime::from_unix_timestamp_nanos(self.0.into())
            .map_err(serde::ser::Error::custom)?
            .format(&well_known::Rfc3339)
            .map_err(serde::ser::Error::custom)?;
        s.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Rfc3339 {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Rfc3339, D::Error> {
        if !d.is_human_readable() {
            return i64::deserialize(d).map(Rfc3339);
        }
        let text = Cow::<str>::deserialize(d)?;
        let moment = OffsetDateTime::parse(&text, &well_known::Rfc3339).map_err(de::Error::custom)?;
        i64::try_from(moment.unix_timestamp_nanos())
            .map(Rfc3339)
            .map_err(|_| de::Error::custom("a moment must lie between 1677 and 2262"))
    }
}

impl JsonSchema for Rfc3339 {
    fn schema_name() -> Cow<'static, str> {
        "Rfc3339".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// A moment in whole seconds since 1970 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct UnixSecs(pub i64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;
    use serde::de::DeserializeOwned;

    fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: T, json: &str) {
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
        assert_eq!(serde_json::from_str::<T>(json).unwrap(), value);
        assert_eq!(codec::decode::<T>(&codec::encode(&value).unwrap()).unwrap(), value);
    }

    #[test]
    fn each_value_in_both_codecs() {
        check(
            Json(serde_json::json!({"n": 9_007_199_254_740_993_i64, "l": [null, 1.5]})),
            r#"{"n":9007199254740993,"l":[null,1.5]}"#,
        );
        check(Bytes(vec![0, 255, 7]), r#""AP8H""#);
        check(Rfc3339(1_234_567_890_123_456_789), r#""2009-02-13T23:31:30.123456789Z""#);
        check(Rfc3339(-1), r#""1969-12-31T23:59:59.999999999Z""#);
        check(UnixSecs(-5), "-5");
    }

    #[test]
    fn moments_do_not_run_over() {
        let day = Duration::from_secs(86_400);
        assert_eq!(Rfc3339(1).plus(day), Rfc3339(86_400_000_000_001));
        assert_eq!(Rfc3339(i64::MAX).plus(day).plus(Duration::MAX), Rfc3339(i64::MAX));
        assert_eq!(
            (Rfc3339(5).until(Rfc3339(7)), Rfc3339(7).until(Rfc3339(5))),
            (Duration::from_nanos(2), Duration::ZERO)
        );
        assert_eq!(Rfc3339(i64::MIN).until(Rfc3339(i64::MAX)), Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        assert!(serde_json::from_str::<Bytes>(r#""?""#).is_err());
        assert!(serde_json::from_str::<Rfc3339>(r#""yesterday""#).is_err());
        assert!(serde_json::from_str::<Rfc3339>(r#""9999-01-01T00:00:00Z""#).is_err());
    }
}
