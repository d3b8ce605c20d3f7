//! A value walked as its type serializes it: nothing is written, nothing is copied, places without limits are not entered.

use super::compile::{Inside, Node};
use super::own::Own;
use crate::fit::Misfit;
use serde::ser::{self, Serialize, Serializer};
use std::fmt;

pub fn check<T: Serialize + ?Sized>(nodes: &[Node], value: &T) -> Result<(), Misfit> {
    match nodes.first() {
        Some(node) => value.serialize(Walker { nodes, node }).map_err(|broken| *broken.0),
        None => Ok(()),
    }
}

/// A field out of its limits.
#[derive(Debug)]
struct Broken(Box<Misfit>);

type Walked = Result<(), Broken>;

/// At one place of the type.
#[derive(Clone, Copy)]
struct Walker<'a> {
    nodes: &'a [Node],
    node: &'a Node,
}

impl<'a> Walker<'a> {
    /// Checks here, and where a reference leads from here; the walker it returns stands at no reference.
    fn each(mut self, check: impl Fn(&Own) -> Result<(), Box<Misfit>>) -> Result<Walker<'a>, Broken> {
        // A type that is nothing but a reference to itself cannot exist; the bound is for a damaged schema.
        for _ in 0..=self.nodes.len() {
            if let Some(own) = &self.node.own {
                check(own).map_err(Broken)?;
            }
            match self.node.inside {
                Inside::Ref(at) => self.node = &self.nodes[at],
                _ => break,
            }
        }
        Ok(self)
    }

    fn whole(self, n: i128) -> Walked {
        self.each(|own| own.whole(n)).map(drop)
    }

    fn real(self, n: f64) -> Walked {
        self.each(|own| own.real(n)).map(drop)
    }

    /// One step further in.
    fn into<T: Serialize + ?Sized>(self, node: &'a Node, value: &T) -> Walked {
        if node.is_free() { Ok(()) } else { value.serialize(Walker { node, ..self }) }
    }
}

impl<'a> Serializer for Walker<'a> {
    type Ok = ();
    type Error = Broken;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Unlimited;
    type SerializeTupleStruct = Unlimited;
    type SerializeTupleVariant = Unlimited;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Unlimited;

    /// Bytes and moments as they are, not as text.
    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, _: bool) -> Walked {
        Ok(())
    }
    fn serialize_i8(self, n: i8) -> Walked {
        self.whole(n.into())
    }
    fn serialize_i16(self, n: i16) -> Walked {
        self.whole(n.into())
    }
    fn serialize_i32(self, n: i32) -> Walked {
        self.whole(n.into())
    }
    fn serialize_i64(self, n: i64) -> Walked {
        self.whole(n.into())
    }
    fn serialize_i128(self, n: i128) -> Walked {
        self.whole(n)
    }
    fn serialize_u8(self, n: u8) -> Walked {
        self.whole(n.into())
    }
    fn serialize_u16(self, n: u16) -> Walked {
        self.whole(n.into())
    }
    fn serialize_u32(self, n: u32) -> Walked {
        self.whole(n.into())
    }
    fn serialize_u64(self, n: u64) -> Walked {
        self.whole(n.into())
    }
    fn serialize_u128(self, n: u128) -> Walked {
        self.whole(i128::try_from(n).unwrap_or(i128::MAX))
    }
    fn serialize_f32(self, n: f32) -> Walked {
        self.real(n.into())
    }
    fn serialize_f64(self, n: f64) -> Walked {
        self.real(n)
    }
    fn serialize_char(self, _: char) -> Walked {
        Ok(())
    }
    fn serialize_str(self, text: &str) -> Walked {
        self.each(|own| own.text(text)).map(drop)
    }
    fn serialize_bytes(self, bytes: &[u8]) -> Walked {
        self.each(|own| own.bytes(bytes.len())).map(drop)
    }
    fn serialize_none(self) -> Walked {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Walked {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Walked {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Walked {
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Walked {
        Ok(())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Walked {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Walked {
        Ok(())
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<Parts<'a>, Broken> {
        Parts::begin(self, len, Own::items)
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Parts<'a>, Broken> {
        Parts::begin(self, len, Own::entries)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Broken> {
        // Fields are no entries to be counted.
        Parts::begin(self, None, |_, _| Ok(()))
    }
    fn serialize_tuple(self, _: usize) -> Result<Unlimited, Broken> {
        Ok(Unlimited)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Unlimited, Broken> {
        Ok(Unlimited)
    }
    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Unlimited, Broken> {
        Ok(Unlimited)
    }
    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Unlimited, Broken> {
        Ok(Unlimited)
    }
}

type Count = fn(&Own, usize) -> Result<(), Box<Misfit>>;

/// Inside of a list, map or message.
struct Parts<'a> {
    walker: Walker<'a>,
    /// Where it begins, to count at the end what was not counted at the start.
    uncounted: Option<(Walker<'a>, Count)>,
    /// Parts so far.
    n: usize,
    /// The name of the map's entry whose value comes next.
    name: String,
}

impl<'a> Parts<'a> {
    fn begin(at: Walker<'a>, len: Option<usize>, count: Count) -> Result<Parts<'a>, Broken> {
        let walker = at.each(|own| len.map_or(Ok(()), |len| count(own, len)))?;
        let uncounted = len.is_none().then_some((at, count));
        Ok(Parts { walker, uncounted, n: 0, name: String::new() })
    }

    fn finish(self) -> Walked {
        match self.uncounted {
            Some((at, count)) => at.each(|own| count(own, self.n)).map(drop),
            None => Ok(()),
        }
    }
}

impl ser::SerializeSeq for Parts<'_> {
    type Ok = ();
    type Error = Broken;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Walked {
        let at = self.n;
        self.n += 1;
        match &self.walker.node.inside {
            Inside::Items(node) => self.walker.into(node, value).map_err(|broken| broken.inside(&format!("[{at}]"))),
            _ => Ok(()),
        }
    }
    fn end(self) -> Walked {
        self.finish()
    }
}

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Broken;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Walked {
        self.n += 1;
        if let Inside::Entries { names, .. } = &self.walker.node.inside {
            self.name = match key.serialize(serde_json::value::Serializer) {
                Ok(serde_json::Value::String(name)) => name,
                // No JSON object has such names: types that have are not on the wire.
                other => return Err(ser::Error::custom(format!("{other:?} is no name of an entry"))),
            };
            if let Some(names) = names {
                names.text(&self.name).map_err(|misfit| Broken(misfit).inside(&shown(&self.name)))?;
            }
        }
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Walked {
        match &self.walker.node.inside {
            Inside::Entries { values, .. } => {
                self.walker.into(values, value).map_err(|broken| broken.inside(&shown(&self.name)))
            }
            _ => Ok(()),
        }
    }
    fn end(self) -> Walked {
        self.finish()
    }
}

impl ser::SerializeStruct for Parts<'_> {
    type Ok = ();
    type Error = Broken;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Walked {
        let Inside::Fields(fields) = &self.walker.node.inside else { return Ok(()) };
        // The schema has them in the order of the type; were it otherwise, looking for the name is all it costs.
        let expected = fields.get(self.n).filter(|(name, _)| name == key);
        self.n += 1;
        match expected.or_else(|| fields.iter().find(|(name, _)| name == key)) {
            Some((_, node)) => self.walker.into(node, value).map_err(|broken| broken.inside(key)),
            None => Ok(()),
        }
    }
    fn end(self) -> Walked {
        Ok(())
    }
}

/// Tuples and enums that carry data: their schemas limit nothing we know of.
struct Unlimited;

macro_rules! unlimited {
    ($($part:ident $method:ident),*) => {$(
        impl ser::$part for Unlimited {
            type Ok = ();
            type Error = Broken;
            fn $method<T: Serialize + ?Sized>(&mut self, _: &T) -> Walked {
                Ok(())
            }
            fn end(self) -> Walked {
                Ok(())
            }
        }
    )*};
}
unlimited!(
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

impl ser::SerializeStructVariant for Unlimited {
    type Ok = ();
    type Error = Broken;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, _: &T) -> Walked {
        Ok(())
    }
    fn end(self) -> Walked {
        Ok(())
    }
}

/// A name as an error shows it: it may be as long as a request.
fn shown(name: &str) -> String {
    match name.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", &name[..cut]),
        None => name.to_string(),
    }
}

impl Broken {
    fn inside(self, outer: &str) -> Broken {
        Broken(Box::new(self.0.inside(outer)))
    }
}

impl ser::Error for Broken {
    fn custom<T: fmt::Display>(why: T) -> Broken {
        Broken(Box::new(Misfit::new(why.to_string())))
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Broken {}
