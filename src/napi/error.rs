use crate::error::Error;

/// The envelope travels as the message; the facade makes the typed error of it.
pub fn to_napi(error: &Error) -> napi::Error {
    napi::Error::from_reason(error.envelope().to_string())
}
