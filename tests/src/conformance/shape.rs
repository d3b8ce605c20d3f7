//! Comparing a reply with the documented one.

use anyhow::{Result, bail, ensure};
use serde_json::Value;

/// Every documented field is there, with a value of the documented type. `free`: paths whose keys are the caller's.
pub fn same(ours: &Value, documented: &Value, free: &[String]) -> Result<()> {
    at("", ours, documented, free)
}

fn at(path: &str, ours: &Value, documented: &Value, free: &[String]) -> Result<()> {
    match (ours, documented) {
        (Value::Object(ours), Value::Object(theirs)) => {
            if free.iter().any(|free| free == path) {
                return Ok(());
            }
            for (name, documented) in theirs {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let Some(ours) = ours.get(name) else { bail!("{inner} is missing") };
                at(&inner, ours, documented, free)?;
            }
            Ok(())
        }
        // The documented list is cut; the path of an item is that of its list.
        (Value::Array(ours), Value::Array(theirs)) => {
            let Some(documented) = theirs.first() else { return Ok(()) };
            ensure!(!ours.is_empty(), "{path} is empty: nothing to compare");
            ours.iter().try_for_each(|ours| at(path, ours, documented, free))
        }
        _ => {
            ensure!(
                std::mem::discriminant(ours) == std::mem::discriminant(documented),
                "{path} is {ours}, documented is {documented}"
            );
            Ok(())
        }
    }
}

/// The documented value: fields we added do not count, and of a list the items that are documented.
pub fn has_value(ours: &Value, documented: &Value) -> bool {
    match (ours, documented) {
        (Value::Object(ours), Value::Object(theirs)) => {
            theirs.iter().all(|(name, documented)| ours.get(name).is_some_and(|ours| has_value(ours, documented)))
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() >= theirs.len() && ours.iter().zip(theirs).all(|(ours, documented)| has_value(ours, documented))
        }
        (ours, documented) => ours == documented,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_may_be_added_but_none_left_out_or_of_another_type() {
        let documented = json!({"a": "1", "list": [{"n": 1}], "map": {"x": 1}});
        let free = ["map".to_string()];
        let same = |ours: Value| same(&ours, &documented, &free).map_err(|error| error.to_string());
        assert_eq!(same(json!({"a": "", "list": [{"n": 2}, {"n": 3}], "map": {"y": 2}, "more": 1})), Ok(()));
        assert_eq!(same(json!({"list": [{"n": 1}], "map": {}})), Err("a is missing".into()));
        assert_eq!(same(json!({"a": 1, "list": [{"n": 1}], "map": {}})), Err("a is 1, documented is \"1\"".into()));
        assert_eq!(same(json!({"a": "", "list": [{"n": 1}, {}], "map": {}})), Err("list.n is missing".into()));
        assert_eq!(same(json!({"a": "", "list": [], "map": {}})), Err("list is empty: nothing to compare".into()));
    }

    #[test]
    fn a_cut_list_is_compared_as_far_as_it_goes() {
        assert!(has_value(&json!({"l": [1, 2, 3], "more": 1}), &json!({"l": [1, 2]})));
        assert!(
            !has_value(&json!({"l": [1]}), &json!({"l": [1, 2]}))
                && !has_value(&json!({"l": [2, 1]}), &json!({"l": [1]}))
        );
    }
}
