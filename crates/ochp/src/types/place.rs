//! Charge points: one record per EVSE, with everything about its place repeated in it.

use rust_decimal::Decimal;

use crate::scalar::{
    Country, DateTime, EvseId, HouseNumber, Language, Latitude, LocationId, Longitude, ParkingId, SpotName, SpotNumber,
    TariffId, Telephone, Text, Url, WallTime, ZipCode,
};

words! {
    PowerType {
        Ac = "AC",
        Dc = "DC",
    }
}

words! {
    /// OCHP, `ConnectorStandard`.
    ConnectorStandard in "ConnectorStandard" {
        Chademo = "Chademo",
        Type1 = "IEC_62196_T1",
        Type1Combo = "IEC_62196_T1_COMBO",
        Type2 = "IEC_62196_T2",
        Type2Combo = "IEC_62196_T2_COMBO",
        Type3A = "IEC_62196_T3A",
        Type3C = "IEC_62196_T3C",
        DomesticA = "DOMESTIC_A",
        DomesticB = "DOMESTIC_B",
        DomesticC = "DOMESTIC_C",
        DomesticD = "DOMESTIC_D",
        DomesticE = "DOMESTIC_E",
        DomesticF = "DOMESTIC_F",
        DomesticG = "DOMESTIC_G",
        DomesticH = "DOMESTIC_H",
        DomesticI = "DOMESTIC_I",
        DomesticJ = "DOMESTIC_J",
        DomesticK = "DOMESTIC_K",
        DomesticL = "DOMESTIC_L",
        TeslaR = "TESLA_R",
        TeslaS = "TESLA_S",
        Cee16Single = "IEC_60309_2_single_16",
        Cee16Three = "IEC_60309_2_three_16",
        Cee32Three = "IEC_60309_2_three_32",
        Cee64Three = "IEC_60309_2_three_64",
    }
}

words! {
    ConnectorFormat in "ConnectorFormat" {
        Socket = "Socket",
        Cable = "Cable",
    }
}

words! {
    /// The standing of an EVSE that does not change by the hour (OCHP, `ChargePointStatusType`).
    Standing in "ChargePointStatusType" {
        Unknown = "Unknown",
        Operative = "Operative",
        Inoperative = "Inoperative",
        Planned = "Planned",
        Closed = "Closed",
    }
}

words! {
    Surroundings in "GeneralLocationType" {
        OnStreet = "on-street",
        ParkingGarage = "parking-garage",
        UndergroundGarage = "underground-garage",
        ParkingLot = "parking-lot",
        Other = "other",
        Unknown = "unknown",
        Private = "private",
    }
}

words! {
    ParkingRule in "RestrictionType" {
        EvOnly = "evonly",
        Plugged = "plugged",
        Disabled = "disabled",
        Customers = "customers",
        Motorcycles = "motorcycles",
        Carsharing = "carsharing",
    }
}

words! {
    AuthMethod in "AuthMethodType" {
        Public = "Public",
        LocalKey = "LocalKey",
        DirectCash = "DirectCash",
        DirectCreditcard = "DirectCreditcard",
        DirectDebitcard = "DirectDebitcard",
        RfidMifareClassic = "RfidMifareCls",
        RfidMifareDesfire = "RfidMifareDes",
        RfidCalypso = "RfidCalypso",
        Iso15118 = "Iec15118",
        OchpDirect = "OchpDirectAuth",
        Operator = "OperatorAuth",
    }
}

words! {
    PictureKind {
        NetworkLogo = "networkLogo",
        OperatorLogo = "operatorLogo",
        OwnerLogo = "ownerLogo",
        StationPhoto = "stationPhoto",
        LocationPhoto = "locationPhoto",
        EntrancePhoto = "entrancePhoto",
        OtherPhoto = "otherPhoto",
        OtherLogo = "otherLogo",
        OtherGraphic = "otherGraphic",
    }
}

words! {
    ResourceKind {
        OperatorMap = "operatorMap",
        OperatorPayment = "operatorPayment",
        StationInfo = "stationInfo",
        SurroundingInfo = "surroundingInfo",
        OwnerHomepage = "ownerHomepage",
        FeedbackForm = "feedbackForm",
    }
}

words! {
    PointKind {
        Entrance = "entrance",
        Exit = "exit",
        Access = "access",
        Ui = "ui",
        Other = "other",
    }
}

record! {
    Connector {
        standard: one ConnectorStandard = "connectorStandard",
        format: one ConnectorFormat = "connectorFormat",
        tariff: maybe TariffId = "tariffId",
    }
}

record! {
    /// Kilowatts and volts.
    Ratings {
        maximum_power: one Decimal = "maximumPower",
        guaranteed_power: maybe Decimal = "guaranteedPower",
        nominal_voltage: maybe u32 = "nominalVoltage",
    }
}

record! {
    Address {
        house_number: maybe HouseNumber = "houseNumber",
        street: one Text<2, 45> = "address",
        city: one Text<1, 45> = "city",
        zip: one ZipCode = "zipCode",
        country: one Country = "country",
    }
}

record! {
    GeoPoint {
        lat: attribute Latitude = "lat",
        lon: attribute Longitude = "lon",
    }
}

record! {
    AdditionalGeoPoint {
        lat: attribute Latitude = "lat",
        lon: attribute Longitude = "lon",
        name: maybe_attribute Text<0, 255> = "name",
        kind: attribute PointKind = "type",
    }
}

record! {
    /// Monday is 1. Wall clock of the place.
    RegularHours {
        weekday: attribute u32 = "weekday",
        begin: attribute WallTime = "periodBegin",
        end: attribute WallTime = "periodEnd",
    }
}

record! {
    ExceptionalPeriod {
        begin: one DateTime = "periodBegin",
        end: one DateTime = "periodEnd",
    }
}

record! {
    /// OCHP, `HoursType`: regular hours or around the clock, with exceptions.
    Hours {
        regular: many RegularHours = "regularHours",
        around_the_clock: maybe bool = "twentyfourseven",
        openings: many ExceptionalPeriod = "exceptionalOpenings",
        closings: many ExceptionalPeriod = "exceptionalClosings",
        closed_charging: given bool = "closedCharging",
    }
}

record! {
    Schedule {
        start: one DateTime = "startDate",
        end: maybe DateTime = "endDate",
        standing: one Standing = "status",
    }
}

record! {
    ParkingSpot {
        id: one ParkingId = "parkingId",
        rules: many ParkingRule = "restriction",
        floor: maybe SpotName = "floorLevel",
        number: maybe SpotNumber = "parkingSpotNumber",
    }
}

record! {
    Picture {
        uri: one Url = "uri",
        thumb: maybe Url = "thumbUri",
        class: one PictureKind = "class",
        kind: one Text<1, 4> = "type",
        width: maybe u32 = "width",
        height: maybe u32 = "height",
    }
}

record! {
    RelatedResource {
        uri: one Url = "uri",
        class: one ResourceKind = "class",
    }
}

record! {
    /// One EVSE (OCHP, `ChargePointInfo`).
    ChargePoint {
        evse: one EvseId = "evseId",
        location: one LocationId = "locationId",
        timestamp: maybe DateTime = "timestamp",
        name: one Text<1, 100> = "locationName",
        name_language: one Language = "locationNameLang",
        images: many Picture = "images",
        resources: many RelatedResource = "relatedResource",
        address: one Address = "chargePointAddress",
        position: one GeoPoint = "chargePointLocation",
        related: many AdditionalGeoPoint = "relatedLocation",
        time_zone: maybe Text<0, 255> = "timeZone",
        hours: maybe Hours = "openingTimes",
        standing: maybe Standing = "status",
        schedule: many Schedule = "statusSchedule",
        telephone: maybe Telephone = "telephoneNumber",
        surroundings: one Surroundings = "location",
        spots: many ParkingSpot = "parkingSpot",
        rules: many ParkingRule = "restriction",
        auth_methods: one_of_many AuthMethod = "authMethods",
        connectors: one_of_many Connector = "connectors",
        power_type: one PowerType = "chargePointType",
        ratings: maybe Ratings = "ratings",
        languages: many Language = "userInterfaceLang",
        /// Minutes, up to 1000.
        max_reservation: maybe u32 = "maxReservation",
    }
}
