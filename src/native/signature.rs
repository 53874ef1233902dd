//! Signatures of tokens, checked with ring.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

use crate::auth::public_key::{Material, PublicKey};

/// Whether `signature` over `message` was made with the private half of `key`.
pub(super) fn is_good(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    match &key.material {
        Material::Rsa { n, e } => {
            RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
        }
        Material::P256(point) => {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
        }
        Material::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
    }
}
