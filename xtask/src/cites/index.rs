//! The lists of the standards' test cases and the requirements that they name, as they lie beside the project.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub struct Index {
    /// Requirements of 2.0.1 that a test case names.
    pub requirements: BTreeSet<String>,
    /// Certification profile of 2.0.1 to the cases that are mandatory for an operator.
    pub mandatory: BTreeMap<String, BTreeSet<String>>,
    /// The same for a station.
    pub mandatory_for_a_station: BTreeMap<String, BTreeSet<String>>,
    all_201: BTreeSet<String>,
    pub cases_16: BTreeSet<String>,
    pub cases_21: BTreeSet<String>,
}

impl Index {
    /// `None` where the lists are not there.
    pub fn read(folder: &Path) -> Option<Self> {
        let text = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
        let mut index = Self::of(&text("ocpp201-octt-index.csv")?);
        index.cases_16 = ids(&text("ocpp16-octt-ids.csv")?);
        index.cases_21 = ids(&text("ocpp21-extra-ids.csv")?);
        Some(index)
    }

    /// Columns: id, system under test, block, profile and status, feature number, use cases, requirements.
    fn of(text: &str) -> Self {
        let mut requirements = BTreeSet::new();
        let [mut mandatory, mut mandatory_for_a_station] =
            [(); 2].map(|()| BTreeMap::<String, BTreeSet<String>>::new());
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let [id, sut, _, profiles, .., named] = cells[..] else { continue };
            requirements.extend(named.split_whitespace().map(str::to_owned));
            let own = profiles.split(';').filter_map(|profile| profile.strip_suffix(":M"));
            let list = if sut == "CSMS" { &mut mandatory } else { &mut mandatory_for_a_station };
            for profile in own {
                list.entry(profile.to_owned()).or_default().insert(id.to_owned());
            }
        }
        let (all_201, cases_16, cases_21) = (ids(text), BTreeSet::new(), BTreeSet::new());
        Self { requirements, mandatory, mandatory_for_a_station, all_201, cases_16, cases_21 }
    }

    pub fn knows(&self, case: &str) -> bool {
        [&self.all_201, &self.cases_16, &self.cases_21].iter().any(|list| list.contains(case))
    }
}

/// The first column.
fn ids(text: &str) -> BTreeSet<String> {
    text.lines().skip(1).filter_map(|line| line.split(',').next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::Index;

    #[test]
    fn a_case_is_mandatory_in_each_profile_that_says_so_and_for_its_own_side_only() {
        let index = Index::of(
            "test_id,sut,block,profile_status,feature_no,use_cases,requirements\n\
             TC_A_01_CS,CS,A,Core:M,,A00,A00.FR.202 A00.FR.203\n\
             TC_N_1_CSMS,CSMS,N,Core:C;Advanced:M,,,\n",
        );
        assert_eq!(index.requirements.len(), 2);
        assert_eq!(index.mandatory.keys().collect::<Vec<_>>(), ["Advanced"]);
        assert_eq!(index.mandatory_for_a_station.keys().collect::<Vec<_>>(), ["Core"]);
        assert!(index.knows("TC_A_01_CS") && !index.knows("TC_A_02_CS"));
    }
}
