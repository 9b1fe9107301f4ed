//! A few values by number, in a map's order.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// For maps that mostly have one entry and of which there is one an extension: a `BTreeMap` makes room for eleven at once,
/// which for 100,000 extensions' call lists is 160 MB of nothing. Looking up is a walk. As JSON it is what a map is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Few<V>(Vec<(u32, V)>);

impl<V> Default for Few<V> {
    fn default() -> Few<V> {
        Few(Vec::new())
    }
}

impl<V> Few<V> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In ascending order of their numbers.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u32, &V)> {
        self.0.iter().map(|(number, value)| (*number, value))
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    pub fn contains_key(&self, number: u32) -> bool {
        self.get(number).is_some()
    }

    pub fn get(&self, number: u32) -> Option<&V> {
        self.iter().find(|(known, _)| *known == number).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, number: u32) -> Option<&mut V> {
        self.0.iter_mut().find(|(known, _)| *known == number).map(|(_, value)| value)
    }

    pub fn insert(&mut self, number: u32, value: V) {
        if let Some(known) = self.get_mut(number) {
            *known = value;
            return;
        }
        // No more room than is needed: that is what it is for.
        self.0.reserve_exact(1);
        let place = self.0.partition_point(|(known, _)| *known < number);
        self.0.insert(place, (number, value));
    }

    pub fn remove(&mut self, number: u32) -> Option<V> {
        let place = self.0.iter().position(|(known, _)| *known == number)?;
        Some(self.0.remove(place).1)
    }
}

impl<V: Serialize> Serialize for Few<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Few<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Few<V>, D::Error> {
        struct Read<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Read<V> {
            type Value = Few<V>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map by number")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Few<V>, A::Error> {
                let mut few = Few::default();
                while let Some((number, value)) = map.next_entry()? {
                    few.insert(number, value);
                }
                Ok(few)
            }
        }

        deserializer.deserialize_map(Read(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_is_a_map_in_order_and_in_json() {
        let mut few = Few::default();
        for (number, value) in [(3, "three"), (1, "xx"), (2, "two"), (2, "second")] {
            few.insert(number, value.to_owned());
        }
        assert_eq!(few.remove(3), Some("three".into()));
        assert_eq!((few.remove(3), few.contains_key(3)), (None, false));
        let map: BTreeMap<u32, String> = few.iter().map(|(number, value)| (number, value.clone())).collect();
        assert_eq!(map, [(1, "xx".into()), (2, "second".into())].into());
        let json = serde_json::to_string(&few).unwrap();
        assert_eq!(json, serde_json::to_string(&map).unwrap());
        assert_eq!(serde_json::from_str::<Few<String>>(&json).unwrap(), few);
        assert_eq!(few.0.capacity(), 3, "as much room as it ever needed");
    }
}
