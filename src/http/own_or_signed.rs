//! Whom servers of one's own kind believe: who shows the certificate that this server has itself, and whoever signatures say.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme};

use super::tls::Reloaded;

/// Believes who shows the certificate that this server has itself: one for all servers, perhaps without a name of any. All others as
/// signatures, and of servers names, say.
#[derive(Debug)]
pub(super) struct OwnOrSigned<V: ?Sized> {
    pub(super) own: Arc<Reloaded>,
    pub(super) signed: Arc<V>,
}

/// What both traits ask about signatures of handshakes: whoever shows a certificate must have its key, be it this server's own or not.
macro_rules! signatures_as_signed {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            shown: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            self.signed.verify_tls12_signature(message, shown, signature)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            shown: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            self.signed.verify_tls13_signature(message, shown, signature)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.signed.supported_verify_schemes()
        }
    };
}

impl ServerCertVerifier for OwnOrSigned<WebPkiServerVerifier> {
    signatures_as_signed!();

    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.own.is_own(shown) {
            return Ok(ServerCertVerified::assertion());
        }
        self.signed.verify_server_cert(shown, between, name, ocsp, now)
    }
}

/// The same of who connects: another server may have the very certificate of this one.
impl ClientCertVerifier for OwnOrSigned<dyn ClientCertVerifier> {
    signatures_as_signed!();

    fn offer_client_auth(&self) -> bool {
        self.signed.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.signed.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.signed.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if self.own.is_own(shown) {
            return Ok(ClientCertVerified::assertion());
        }
        self.signed.verify_client_cert(shown, between, now)
    }
}
