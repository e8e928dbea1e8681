//! How a value is written in its registers, in the words of a point table.

use std::str::FromStr;

/// How a value is written in its registers.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DataType {
    Bit,
    Uint16,
    Int16,
    Uint32,
    Int32,
    Float32,
}

/// In which order the bytes of a value come over the wire; `A` is the most significant.
///
/// In one register only the order of its two bytes counts (`Cdab` is `Ab`; `Badc` and `Dcba` are
/// `Ba`); in two, `Ab` is `Abcd` and `Ba` is `Badc`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ByteOrder {
    Ab,
    Ba,
    Abcd,
    Dcba,
    Badc,
    Cdab,
}

/// A word that is none of those a point table may hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WordError {
    #[error("`{0}` is no data type: bit, uint16, int16, uint32, int32 or float32")]
    DataType(String),
    #[error("`{0}` is no byte order: AB, BA, ABCD, DCBA, BADC or CDAB")]
    ByteOrder(String),
}

impl FromStr for DataType {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "bool" | "bit" => Self::Bit,
            "uint16" => Self::Uint16,
            "int16" => Self::Int16,
            "uint32" => Self::Uint32,
            "int32" => Self::Int32,
            "float32" => Self::Float32,
            _ => return Err(WordError::DataType(text.into())),
        })
    }
}

impl FromStr for ByteOrder {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        Ok(match text.to_ascii_uppercase().as_str() {
            "AB" => Self::Ab,
            "BA" => Self::Ba,
            "ABCD" => Self::Abcd,
            "DCBA" => Self::Dcba,
            "BADC" => Self::Badc,
            "CDAB" => Self::Cdab,
            _ => return Err(WordError::ByteOrder(text.into())),
        })
    }
}
