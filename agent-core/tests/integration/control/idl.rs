//! As much of the language of Varlink interfaces as it takes to judge a reply: does it have all the fields that are
//! described, each of its type, and no others?

use std::collections::BTreeMap;

use serde_json::Value;

#[derive(Debug, Clone)]
pub(crate) enum Type {
    Bool,
    Int,
    Float,
    Text,
    Named(String),
    Maybe(Box<Type>),
    Array(Box<Type>),
    Map(Box<Type>),
    Choice(Vec<String>),
    Struct(Vec<(String, Type)>),
}

#[derive(Debug, Default)]
pub(crate) struct Interface {
    types: BTreeMap<String, Type>,
    /// Parameters and reply of each method.
    pub(crate) methods: BTreeMap<String, (Type, Type)>,
    pub(crate) errors: BTreeMap<String, Type>,
}

struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn skip(&mut self) {
        loop {
            self.0 = self.0.trim_start();
            let Some(comment) = self.0.strip_prefix('#') else {
                return;
            };
            self.0 = comment.split_once('\n').map_or("", |(_, rest)| rest);
        }
    }

    fn takes(&mut self, token: &str) -> bool {
        self.skip();
        let rest = self.0.strip_prefix(token);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, token: &str) {
        assert!(
            self.takes(token),
            "{token:?} was expected before {:.60}",
            self.0
        );
    }

    fn word(&mut self) -> String {
        self.skip();
        let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.');
        let end = self.0.find(is_end).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        assert!(
            !word.is_empty(),
            "a name was expected before {:.60}",
            self.0
        );
        self.0 = rest;
        word.to_owned()
    }

    fn kind(&mut self) -> Type {
        if self.takes("?") {
            return Type::Maybe(Box::new(self.kind()));
        }
        if self.takes("[]") {
            return Type::Array(Box::new(self.kind()));
        }
        if self.takes("[string]") {
            return Type::Map(Box::new(self.kind()));
        }
        if self.takes("(") {
            return self.handles();
        }
        match self.word().as_str() {
            "bool" => Type::Bool,
            "int" => Type::Int,
            "float" => Type::Float,
            "string" => Type::Text,
            named => Type::Named(named.to_owned()),
        }
    }

    /// What is in parentheses: names, or names with types.
    fn handles(&mut self) -> Type {
        let (mut names, mut fields) = (Vec::new(), Vec::new());
        while !self.takes(")") {
            let name = self.word();
            if self.takes(":") {
                fields.push((name, self.kind()));
            } else {
                names.push(name);
            }
            let _last = self.takes(",");
        }
        if names.is_empty() {
            return Type::Struct(fields);
        }
        assert!(
            fields.is_empty(),
            "{names:?} have no types, {fields:?} have"
        );
        Type::Choice(names)
    }
}

impl Interface {
    pub(crate) fn parse(text: &str) -> Self {
        let mut reader = Reader(text);
        let mut interface = Self::default();
        reader.expect("interface");
        assert_eq!(reader.word(), "io.adaptivemmd.Control");
        loop {
            reader.skip();
            if reader.0.is_empty() {
                return interface;
            }
            let keyword = reader.word();
            let name = reader.word();
            let first = reader.kind();
            match keyword.as_str() {
                "type" => drop(interface.types.insert(name, first)),
                "error" => drop(interface.errors.insert(name, first)),
                "method" => {
                    reader.expect("->");
                    let reply = reader.kind();
                    interface.methods.insert(name, (first, reply));
                }
                other => panic!("{other} is not known"),
            }
        }
    }

    /// Panics with the place if a value is not of a type.
    pub(crate) fn judge(&self, value: &Value, kind: &Type, place: &str) {
        let is_right = match kind {
            Type::Bool => value.is_boolean(),
            Type::Int => value.is_i64() || value.is_u64(),
            Type::Float => value.is_number(),
            Type::Text => value.is_string(),
            Type::Choice(names) => names.iter().any(|name| value == name.as_str()),
            Type::Named(name) => {
                let kind = self.types.get(name);
                let kind = kind.unwrap_or_else(|| panic!("{place}: there is no type {name}"));
                return self.judge(value, kind, place);
            }
            Type::Maybe(_) if value.is_null() => true,
            Type::Maybe(kind) => return self.judge(value, kind, place),
            Type::Array(kind) => {
                let items = value.as_array();
                let items = items.unwrap_or_else(|| panic!("{place} is no array: {value}"));
                return items.iter().for_each(|item| self.judge(item, kind, place));
            }
            Type::Map(kind) => {
                let fields = value.as_object();
                let fields = fields.unwrap_or_else(|| panic!("{place} is no map: {value}"));
                return fields
                    .values()
                    .for_each(|item| self.judge(item, kind, place));
            }
            Type::Struct(fields) => return self.judge_fields(value, fields, place),
        };
        assert!(is_right, "{place} is no {kind:?}: {value}");
    }

    fn judge_fields(&self, value: &Value, fields: &[(String, Type)], place: &str) {
        let object = value.as_object();
        let object = object.unwrap_or_else(|| panic!("{place} is no object: {value}"));
        for (name, kind) in fields {
            let place = format!("{place}.{name}");
            // What may be nothing may be left out.
            self.judge(object.get(name).unwrap_or(&Value::Null), kind, &place);
        }
        for name in object.keys() {
            let is_described = fields.iter().any(|(described, _)| described == name);
            assert!(is_described, "{place}.{name} is not described");
        }
    }
}
