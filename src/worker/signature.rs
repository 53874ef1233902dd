//! Signatures of tokens, checked by the runtime's WebCrypto. Keys are imported once per isolate.

use std::sync::{Mutex, PoisonError};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Crypto, CryptoKey, SubtleCrypto};
use worker::{console_error, send::SendWrapper};

use crate::auth::public_key::{Material, PublicKey};

/// The keys that were imported so far.
#[derive(Default)]
pub(super) struct Verifier(Mutex<Vec<(PublicKey, SendWrapper<CryptoKey>)>>);

impl Verifier {
    /// Whether `signature` over `message` was made with the private half of `key`.
    pub(super) async fn is_good(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        match self.check(key, message, signature).await {
            Ok(good) => good,
            Err(_) => {
                console_error!(
                    "{{\"level\":\"error\",\"error\":\"a public key cannot be used for {}\"}}",
                    key.algorithm().name()
                );
                false
            }
        }
    }

    async fn check(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<bool, JsValue> {
        let imported = self.imported(key).await?;
        let algorithm = algorithm(&key.material)?;
        let (signature, message) = (Uint8Array::from(signature), Uint8Array::from(message));
        let promise = subtle()?
            .verify_with_object_and_js_u8_array_and_js_u8_array(&algorithm, &imported, &signature, &message)?;
        Ok(JsFuture::from(promise).await?.is_truthy())
    }

    async fn imported(&self, key: &PublicKey) -> Result<CryptoKey, JsValue> {
        if let Some(imported) = self.known(key) {
            return Ok(imported);
        }
        let (format, data) = key_data(&key.material)?;
        let usages = Array::of1(&"verify".into());
        let algorithm = algorithm(&key.material)?;
        let promise = subtle()?.import_key_with_object(format, &data, &algorithm, false, &usages)?;
        let imported: CryptoKey = JsFuture::from(promise).await?.dyn_into()?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.push((key.clone(), SendWrapper::new(imported.clone())));
        Ok(imported)
    }

    fn known(&self, key: &PublicKey) -> Option<CryptoKey> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(other, _)| other == key).map(|(_, imported)| (**imported).clone())
    }
}

fn subtle() -> Result<SubtleCrypto, JsValue> {
    let crypto: Crypto = Reflect::get(&js_sys::global(), &"crypto".into())?.unchecked_into();
    Ok(crypto.subtle())
}

fn object(pairs: &[(&str, &str)]) -> Result<Object, JsValue> {
    let object = Object::new();
    for (name, value) in pairs {
        Reflect::set(&object, &(*name).into(), &(*value).into())?;
    }
    Ok(object)
}

fn algorithm(material: &Material) -> Result<Object, JsValue> {
    match material {
        Material::Rsa { .. } => object(&[("name", "RSASSA-PKCS1-v1_5"), ("hash", "SHA-256")]),
        Material::P256(_) => object(&[("name", "ECDSA"), ("namedCurve", "P-256"), ("hash", "SHA-256")]),
        Material::Ed25519(_) => object(&[("name", "Ed25519")]),
    }
}

fn key_data(material: &Material) -> Result<(&'static str, Object), JsValue> {
    match material {
        Material::Rsa { n, e } => {
            let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
            Ok(("jwk", object(&[("kty", "RSA"), ("alg", "RS256"), ("n", &n), ("e", &e)])?))
        }
        Material::P256(bytes) | Material::Ed25519(bytes) => Ok(("raw", Uint8Array::from(bytes.as_slice()).into())),
    }
}
