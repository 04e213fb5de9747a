//! The kinds of values that a knob can have, each read from and written as the text that people set.

/// What a knob's type must say of itself.
pub(super) trait Value: Copy {
    fn read(text: &str) -> Option<Self>;
    fn text(self) -> String;
    fn allowed() -> String;
    fn samples() -> Vec<String>;
}

/// A number, zero allowed; the knob's name says of what.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Count(pub u64);

/// A number with a sign.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Signed(pub i64);

/// A number, or none at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    None,
    At(u64),
}

impl Value for Count {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
    fn text(self) -> String {
        self.0.to_string()
    }
    fn allowed() -> String {
        "a number".to_owned()
    }
    fn samples() -> Vec<String> {
        ["0", "1", "1500"].map(str::to_owned).to_vec()
    }
}

impl Value for Signed {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
    fn text(self) -> String {
        self.0.to_string()
    }
    fn allowed() -> String {
        "a number, also below zero".to_owned()
    }
    fn samples() -> Vec<String> {
        ["-300", "0", "300"].map(str::to_owned).to_vec()
    }
}

impl Value for Limit {
    fn read(text: &str) -> Option<Self> {
        if text == "none" {
            Some(Self::None)
        } else {
            text.parse().ok().map(Self::At)
        }
    }
    fn text(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::At(number) => number.to_string(),
        }
    }
    fn allowed() -> String {
        "`none` or a number".to_owned()
    }
    fn samples() -> Vec<String> {
        ["none", "0", "3"].map(str::to_owned).to_vec()
    }
}

/// Choices: an enum each, with the words that stand for its variants.
macro_rules! choices {
    ($($name:ident { $($variant:ident $word:literal),+ $(,)? })+) => {$(
        #[doc = concat!("One of ", $("`", $word, "` ",)+ "; see the table for what each means.")]
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum $name { $(#[doc = concat!("`", $word, "`")] $variant),+ }

        impl $crate::emulator::knobs::value::Value for $name {
            fn read(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)+ _ => None }
            }
            fn text(self) -> String {
                match self { $(Self::$variant => $word.to_owned()),+ }
            }
            fn allowed() -> String {
                [$(concat!("`", $word, "`")),+].join(", ")
            }
            fn samples() -> Vec<String> {
                vec![$($word.to_owned()),+]
            }
        }
    )+};
}

/// The table: a field, its type, its default, the unknowns, the meaning.
macro_rules! knobs {
    ($($field:ident: $type:ty = $default:expr, $unknowns:literal, $meaning:literal;)+) => {
        /// All knobs. Every field is a row of [`TABLE`].
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct Knobs { $(#[doc = $meaning] pub $field: $type),+ }

        impl Default for Knobs {
            fn default() -> Self {
                Self { $($field: $default),+ }
            }
        }

        /// All rows, in the order of the documentation.
        pub const TABLE: &[Knob] = &[$(Knob {
            name: stringify!($field),
            allowed: <$type as Value>::allowed,
            samples: <$type as Value>::samples,
            default: || Knobs::default().$field.text(),
            unknowns: $unknowns,
            meaning: $meaning,
        }),+];

        impl Knobs {
            /// Sets one by name.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), KnobError> {
                match name {
                    $(stringify!($field) => self.$field = Value::read(value).ok_or_else(|| KnobError::BadValue {
                        name: stringify!($field),
                        value: value.to_owned(),
                        allowed: <$type as Value>::allowed(),
                    })?,)+
                    _ => return Err(KnobError::UnknownKnob(name.to_owned())),
                }
                Ok(())
            }

            /// Reads one by name.
            pub fn get(&self, name: &str) -> Option<String> {
                match name {
                    $(stringify!($field) => Some(self.$field.text()),)+
                    _ => None,
                }
            }
        }
    };
}

pub(super) use {choices, knobs};
