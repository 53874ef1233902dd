//! Public keys of token issuers, from PEM, JWK or a JWK set, each bound to the one algorithm that it is for.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pkcs1::RsaPublicKey;
use serde::Deserialize;
use serde_json::value::RawValue;
use spki::{
    ObjectIdentifier, SubjectPublicKeyInfoRef,
    der::{Decode, Document},
};

/// The signature algorithms that a public key can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256; the signature is `r || s`, 64 bytes.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The name that a token's header uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// The numbers of a key, in the form that both hosts take.
#[derive(Clone, PartialEq, Eq)]
pub enum Material {
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa {
        /// The modulus, at least 2,048 bits.
        n: Vec<u8>,
        /// The public exponent.
        e: Vec<u8>,
    },
    /// An uncompressed point of P-256: `04 || x || y`, 65 bytes.
    P256(Vec<u8>),
    /// The 32 bytes of an Ed25519 key.
    Ed25519(Vec<u8>),
}

/// One public key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The name by which a token may ask for it.
    pub kid: Option<String>,
    /// The numbers.
    pub material: Material,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

const OID_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const OID_EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const OID_P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const OID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

impl PublicKey {
    /// The one algorithm that this key verifies.
    pub fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
            Material::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// Reads a PEM (`BEGIN PUBLIC KEY`) or a JWK.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with('{') {
            let jwk: Jwk = serde_json::from_str(text).map_err(|_| "is not a JWK")?;
            return jwk.read();
        }
        // A variable cannot always hold a line break; `\n` written out is a common stand-in.
        Self::from_pem(&text.replace("\\n", "\n"))
    }

    /// Reads a JWK set; keys for other uses and algorithms are passed over.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text.
    pub fn parse_set(text: &str) -> Result<Vec<Self>, String> {
        #[derive(Deserialize)]
        struct Set<'a> {
            #[serde(borrow)]
            keys: Vec<&'a RawValue>,
        }
        let set: Set<'_> = serde_json::from_str(text).map_err(|_| "is not a JWK set: {\"keys\":[…]}")?;
        let mut keys = Vec::new();
        for (index, value) in set.keys.into_iter().enumerate() {
            let jwk: Jwk = serde_json::from_str(value.get()).map_err(|_| format!("key {index} is not a JWK"))?;
            if jwk.is_for_us() {
                keys.push(jwk.read().map_err(|problem| format!("key {index} {problem}"))?);
            }
        }
        if keys.is_empty() {
            return Err("has no key for RS256, ES256 or EdDSA signatures".to_owned());
        }
        Ok(keys)
    }

    fn from_pem(pem: &str) -> Result<Self, String> {
        let (label, document) = Document::from_pem(pem).map_err(|_| "is neither a JWK nor a PEM public key")?;
        if label != "PUBLIC KEY" {
            return Err("must be a PEM that begins with -----BEGIN PUBLIC KEY-----".to_owned());
        }
        let spki = SubjectPublicKeyInfoRef::try_from(document.as_bytes()).map_err(|_| "is not a public key")?;
        let bits = spki.subject_public_key.as_bytes().ok_or("is not a public key")?;
        let material = match spki.algorithm.oid {
            OID_RSA => {
                let key = RsaPublicKey::from_der(bits).map_err(|_| "is not an RSA public key")?;
                rsa(key.modulus.as_bytes().to_vec(), key.public_exponent.as_bytes().to_vec())?
            }
            OID_EC if spki.algorithm.parameters_oid() == Ok(OID_P256) => p256(bits.to_vec())?,
            OID_ED25519 => ed25519(bits.to_vec())?,
            _ => return Err("must be an RSA, P-256 or Ed25519 key".to_owned()),
        };
        Ok(Self { kid: None, material })
    }
}

fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Material, String> {
    let strip = |bytes: Vec<u8>| bytes.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
    let (n, e) = (strip(n), strip(e));
    if n.len() < 256 || n.len() > 1024 || e.is_empty() {
        return Err("must be an RSA key of 2,048 to 8,192 bits".to_owned());
    }
    Ok(Material::Rsa { n, e })
}

fn p256(point: Vec<u8>) -> Result<Material, String> {
    if point.len() == 65 && point.first() == Some(&4) {
        Ok(Material::P256(point))
    } else {
        Err("must be an uncompressed point of P-256".to_owned())
    }
}

fn ed25519(key: Vec<u8>) -> Result<Material, String> {
    if key.len() == 32 { Ok(Material::Ed25519(key)) } else { Err("must be 32 bytes of Ed25519".to_owned()) }
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    fn algorithm(&self) -> Option<Algorithm> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Some(Algorithm::Rs256),
            ("EC", Some("P-256")) => Some(Algorithm::Es256),
            ("OKP", Some("Ed25519")) => Some(Algorithm::EdDsa),
            _ => None,
        }
    }

    fn is_for_us(&self) -> bool {
        let signs = self.usage.as_deref().is_none_or(|usage| usage == "sig");
        let agrees = |algorithm: Algorithm| self.alg.as_deref().is_none_or(|name| name == algorithm.name());
        signs && self.algorithm().is_some_and(agrees)
    }

    fn read(self) -> Result<PublicKey, String> {
        if !self.is_for_us() {
            return Err("must be a signature key for RS256, ES256 (P-256) or EdDSA (Ed25519)".to_owned());
        }
        let number = |name: &str, value: &Option<String>| -> Result<Vec<u8>, String> {
            let text = value.as_deref().ok_or_else(|| format!("lacks '{name}'"))?;
            URL_SAFE_NO_PAD.decode(text).map_err(|_| format!("has a '{name}' that is not base64url"))
        };
        let material = match self.algorithm() {
            Some(Algorithm::Rs256) => rsa(number("n", &self.n)?, number("e", &self.e)?)?,
            Some(Algorithm::Es256) => {
                let (x, y) = (number("x", &self.x)?, number("y", &self.y)?);
                p256([&[4], x.as_slice(), y.as_slice()].concat())?
            }
            Some(Algorithm::EdDsa) => ed25519(number("x", &self.x)?)?,
            None => return Err("is of a kind that is not supported".to_owned()),
        };
        Ok(PublicKey { kid: self.kid, material })
    }
}
