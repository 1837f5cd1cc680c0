//! Certificates (blocks A and M): installing, listing and signing at the station, and what it asks about a car's.
//!
//! Deliberately no look into a certificate: PEM and hashes are texts here. Invariant: an inventory that is empty is
//! told as `NotFound`, and read as empty (M03).

use charge::talk::line::certificate::{
    CertificateHash, CertificateNews, CertificateOrder, CertificateUse, ChainAnswer, ChainQuestion,
    InstalledCertificate, StationKey,
};
use ocpp_kit::v2_1::{
    self as kit, CertificateHashData, CertificateSigningUse, CsRequest, CsmsRequest, GetCertificateIdUse,
    HashAlgorithm, InstallCertificateUse,
};

use super::{astray, boxes, count, natural, some, strings, unlisted, unsaid};
use crate::bridge::{moment, wire};
use crate::rules::Fault;

const USES: [(CertificateUse, GetCertificateIdUse); 6] = [
    (CertificateUse::V2gRoot, GetCertificateIdUse::V2GRootCertificate),
    (CertificateUse::MoRoot, GetCertificateIdUse::MORootCertificate),
    (CertificateUse::OperatorRoot, GetCertificateIdUse::CSMSRootCertificate),
    (CertificateUse::ManufacturerRoot, GetCertificateIdUse::ManufacturerRootCertificate),
    (CertificateUse::OemRoot, GetCertificateIdUse::OEMRootCertificate),
    (CertificateUse::V2gChain, GetCertificateIdUse::V2GCertificateChain),
];

fn used_for(told: &str) -> Result<CertificateUse, Fault> {
    let found = USES.iter().find(|row| row.1.as_str() == told).map(|row| row.0);
    found.ok_or_else(|| unlisted("/certificateType"))
}

fn say_use(used_for: CertificateUse) -> Result<GetCertificateIdUse, Fault> {
    let found = USES.iter().find(|row| row.0 == used_for).map(|row| row.1.clone());
    found.ok_or_else(|| unsaid("a use of certificates that 2.x does not have"))
}

fn station_key(told: Option<&CertificateSigningUse>) -> StationKey {
    match told {
        Some(CertificateSigningUse::V2GCertificate) => StationKey::V2g,
        Some(CertificateSigningUse::V2G20Certificate) => StationKey::V2g20,
        // without a type it is the station's own (A02)
        Some(_) | None => StationKey::Line,
    }
}

fn say_key(key: StationKey) -> CertificateSigningUse {
    match key {
        StationKey::Line => CertificateSigningUse::ChargingStationCertificate,
        StationKey::V2g => CertificateSigningUse::V2GCertificate,
        StationKey::V2g20 => CertificateSigningUse::V2G20Certificate,
    }
}

pub(super) fn hash(said: CertificateHashData) -> CertificateHash {
    CertificateHash {
        algorithm: said.hash_algorithm.as_str().into(),
        issuer_name: said.issuer_name_hash.into(),
        issuer_key: said.issuer_key_hash.into(),
        serial: said.serial_number.into(),
    }
}

pub(super) fn say_hash(hash: &CertificateHash) -> CertificateHashData {
    let algorithm = HashAlgorithm::from_wire(&hash.algorithm);
    CertificateHashData::new(algorithm, &*hash.issuer_name, &*hash.issuer_key, &*hash.serial)
}

pub(super) fn told(order: CsmsRequest) -> Result<CertificateOrder, Fault> {
    Ok(match order {
        CsmsRequest::CertificateSigned(order) => CertificateOrder::Signed {
            key: station_key(order.certificate_type.as_ref()),
            chain: order.certificate_chain.into(),
            request: order.request_id,
        },
        CsmsRequest::InstallCertificate(order) => CertificateOrder::Install {
            used_for: used_for(order.certificate_type.as_str())?,
            certificate: order.certificate.into(),
        },
        CsmsRequest::DeleteCertificate(order) => CertificateOrder::Delete(hash(order.certificate_hash_data)),
        CsmsRequest::GetInstalledCertificateIds(order) => {
            let uses = order.certificate_type.unwrap_or_default();
            CertificateOrder::List(uses.iter().map(|told| used_for(told.as_str())).collect::<Result<_, _>>()?)
        }
        _ => return Err(astray()),
    })
}

pub(super) fn order(order: &CertificateOrder) -> Result<CsmsRequest, Fault> {
    Ok(match order {
        CertificateOrder::Signed { key, chain, request } => {
            let mut out = kit::CertificateSignedRequest::new(&**chain);
            out.certificate_type = Some(say_key(*key));
            out.request_id = *request;
            CsmsRequest::CertificateSigned(out)
        }
        CertificateOrder::Install { used_for, certificate } => {
            let used_for = InstallCertificateUse::from_wire(say_use(*used_for)?.as_str());
            CsmsRequest::InstallCertificate(kit::InstallCertificateRequest::new(used_for, &**certificate))
        }
        CertificateOrder::Delete(hash) => {
            CsmsRequest::DeleteCertificate(kit::DeleteCertificateRequest::new(say_hash(hash)))
        }
        CertificateOrder::List(uses) => {
            let mut out = kit::GetInstalledCertificateIdsRequest::new();
            out.certificate_type = some(uses.iter().copied().map(say_use).collect::<Result<_, _>>()?);
            CsmsRequest::GetInstalledCertificateIds(out)
        }
    })
}

pub(super) fn installed(said: Vec<kit::CertificateHashDataChain>) -> Result<Vec<InstalledCertificate>, Fault> {
    let one = |said: kit::CertificateHashDataChain| {
        Ok(InstalledCertificate {
            used_for: used_for(said.certificate_type.as_str())?,
            hash: hash(said.certificate_hash_data),
            children: said.child_certificate_hash_data.unwrap_or_default().into_iter().map(hash).collect(),
        })
    };
    said.into_iter().map(one).collect()
}

pub(super) fn say_installed(list: &[InstalledCertificate]) -> Result<kit::GetInstalledCertificateIdsResponse, Fault> {
    if list.is_empty() {
        return Ok(kit::GetInstalledCertificateIdsResponse::new(kit::GetInstalledCertificateStatus::NotFound));
    }
    let one = |one: &InstalledCertificate| {
        let mut out = kit::CertificateHashDataChain::new(say_hash(&one.hash), say_use(one.used_for)?);
        out.child_certificate_hash_data = some(one.children.iter().map(say_hash).collect());
        Ok(out)
    };
    let mut out = kit::GetInstalledCertificateIdsResponse::new(kit::GetInstalledCertificateStatus::Accepted);
    out.certificate_hash_data_chain = Some(list.iter().map(one).collect::<Result<_, Fault>>()?);
    Ok(out)
}

pub(super) fn hear(said: CsRequest) -> Result<CertificateNews, Fault> {
    Ok(match said {
        CsRequest::SignCertificate(said) => CertificateNews::Sign {
            key: station_key(said.certificate_type.as_ref()),
            request: said.request_id,
            csr: said.csr.into(),
        },
        CsRequest::Get15118EVCertificate(said) => CertificateNews::Contract {
            schema: said.iso15118_schema_version.into(),
            update: said.action == kit::CertificateAction::Update,
            exi: said.exi_request.into(),
            chains_max: said.maximum_contract_certificate_chains.map(natural),
        },
        CsRequest::GetCertificateStatus(said) => {
            let data = said.ocsp_request_data;
            let hash = CertificateHash {
                algorithm: data.hash_algorithm.as_str().into(),
                issuer_name: data.issuer_name_hash.into(),
                issuer_key: data.issuer_key_hash.into(),
                serial: data.serial_number.into(),
            };
            CertificateNews::Status { hash, responder: data.responder_url.into() }
        }
        CsRequest::GetCertificateChainStatus(said) => {
            let one = |one: kit::CertificateStatusRequestInfo| ChainQuestion {
                hash: hash(one.certificate_hash_data),
                source: one.source.as_str().into(),
                urls: boxes(one.urls),
            };
            CertificateNews::ChainStatus(said.certificate_status_requests.into_iter().map(one).collect())
        }
        _ => return Err(astray()),
    })
}

pub(super) fn say(news: &CertificateNews) -> CsRequest {
    match news {
        CertificateNews::Sign { key, request, csr } => {
            let mut out = kit::SignCertificateRequest::new(&**csr);
            out.certificate_type = Some(say_key(*key));
            out.request_id = *request;
            CsRequest::SignCertificate(out)
        }
        CertificateNews::Contract { schema, update, exi, chains_max } => {
            let action = if *update { kit::CertificateAction::Update } else { kit::CertificateAction::Install };
            let mut out = kit::Get15118EVCertificateRequest::new(&**schema, action, &**exi);
            out.maximum_contract_certificate_chains = chains_max.map(count);
            CsRequest::Get15118EVCertificate(out)
        }
        CertificateNews::Status { hash, responder } => {
            let data = kit::OCSPRequestData::new(
                HashAlgorithm::from_wire(&hash.algorithm),
                &*hash.issuer_name,
                &*hash.issuer_key,
                &*hash.serial,
                &**responder,
            );
            CsRequest::GetCertificateStatus(kit::GetCertificateStatusRequest::new(data))
        }
        CertificateNews::ChainStatus(questions) => {
            let one = |one: &ChainQuestion| {
                let source = kit::CertificateStatusSource::from_wire(&one.source);
                kit::CertificateStatusRequestInfo::new(say_hash(&one.hash), source, strings(&one.urls))
            };
            let questions = questions.iter().map(one).collect();
            CsRequest::GetCertificateChainStatus(kit::GetCertificateChainStatusRequest::new(questions))
        }
    }
}

pub(super) fn chain(said: kit::GetCertificateChainStatusResponse) -> Vec<ChainAnswer> {
    let one = |one: kit::CertificateStatus| ChainAnswer {
        hash: hash(one.certificate_hash_data),
        source: one.source.as_str().into(),
        status: one.status.as_str().into(),
        next: moment(one.next_update),
    };
    said.certificate_status.into_iter().map(one).collect()
}

pub(super) fn say_chain(answers: &[ChainAnswer]) -> kit::GetCertificateChainStatusResponse {
    let one = |one: &ChainAnswer| {
        let source = kit::CertificateStatusSource::from_wire(&one.source);
        let status = kit::CertificateStatusEnum::from_wire(&one.status);
        kit::CertificateStatus::new(say_hash(&one.hash), source, status, wire(one.next))
    };
    kit::GetCertificateChainStatusResponse::new(answers.iter().map(one).collect())
}
