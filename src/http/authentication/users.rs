//! Users in a file of lines `name: password, role, …`, as ksqlDB's JAAS module has them; ksqlDB's own JAAS file that names it is read
//! as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use crate::configuration::java_properties;

/// The property that names the file.
pub const USERS_FILE: &str = "levada.users.file";
/// The property that names ksqlDB's JAAS file.
pub const JAAS_FILE: &str = "java.security.auth.login.config";

/// Users by name.
#[derive(Debug)]
pub struct Users(BTreeMap<String, User>);

impl Users {
    /// What the file has that `get` names, by the names of properties.
    ///
    /// # Errors
    /// No file is named, or what is wrong with it.
    pub fn new(get: &impl Fn(&str) -> Option<String>, realm: &str) -> Result<Self, String> {
        users(&users_file(get, realm)?).map(Self)
    }

    /// The roles of who shows `credentials`: the base64 of `name:password`; `None` if there is no such user.
    pub fn known(&self, credentials: &str) -> Option<(String, BTreeSet<String>)> {
        let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
        let (name, password) = text.split_once(':')?;
        let user = self.0.get(name).filter(|user| user.password.is(password))?;
        Some((name.to_owned(), user.roles.clone()))
    }
}

/// A user's password and roles.
#[derive(Debug, Clone, PartialEq, Eq)]
struct User {
    password: Password,
    roles: BTreeSet<String>,
}

#[derive(Clone, PartialEq, Eq)]
enum Password {
    Plain(String),
    Md5(Vec<u8>),
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Password {
    /// Reads it as it stands in the file: `MD5:` and digits, or as it is.
    fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix("MD5:") {
            Some(digits) => {
                hex(digits).map(Self::Md5).ok_or_else(|| "MD5: is not followed by 32 hexadecimal digits".to_owned())
            }
            None if text.starts_with("OBF:") || text.starts_with("CRYPT:") => {
                Err("passwords in the forms OBF: and CRYPT: are not read: write MD5:… or the password itself"
                    .to_owned())
            }
            None => Ok(Self::Plain(text.to_owned())),
        }
    }

    fn is(&self, given: &str) -> bool {
        match self {
            // Digests have one length, so that the time tells nothing of that of the password.
            Self::Plain(password) => Md5::digest(password).ct_eq(&Md5::digest(given)).into(),
            Self::Md5(digest) => digest.ct_eq(&Md5::digest(given)).into(),
        }
    }
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    pairs.collect::<Option<Vec<u8>>>().filter(|bytes| bytes.len() == 16)
}

/// The file of users: named itself, or by the section of a JAAS file that has the name of the realm.
fn users_file(get: &impl Fn(&str) -> Option<String>, realm: &str) -> Result<String, String> {
    if let Some(file) = get(USERS_FILE) {
        return Ok(file);
    }
    let Some(jaas) = get(JAAS_FILE) else {
        return Err(format!(
            "authentication.method=BASIC needs the property {USERS_FILE}: a file of lines 'name: password, role'"
        ));
    };
    let text =
        fs::read_to_string(&jaas).map_err(|error| format!("cannot read '{jaas}', which {JAAS_FILE} names: {error}"))?;
    let section = text.split('}').find_map(|section| {
        let (name, body) = section.split_once('{')?;
        (name.split_whitespace().last() == Some(realm)).then_some(body)
    });
    let file = section.and_then(|body| {
        let (_, rest) = body.split_once("file=\"")?;
        rest.split_once('"').map(|(file, _)| file.to_owned())
    });
    file.ok_or_else(|| format!("'{jaas}' has no section {realm} with file=\"…\""))
}

fn users(file: &str) -> Result<BTreeMap<String, User>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("cannot read the file of users '{file}': {error}"))?;
    let entries = java_properties::read(&text).map_err(|error| format!("{file}: {error}"))?;
    let mut users = BTreeMap::new();
    for entry in entries {
        let mut fields = entry.value.split(',').map(str::trim);
        let password = fields.next().filter(|password| !password.is_empty());
        let password =
            password.ok_or_else(|| format!("{file}:{}: the user {} has no password", entry.line, entry.name))?;
        let password = Password::parse(password).map_err(|reason| format!("{file}:{}: {reason}", entry.line))?;
        let roles = fields.filter(|role| !role.is_empty()).map(ToOwned::to_owned).collect();
        users.insert(entry.name, User { password, roles });
    }
    Ok(users)
}
