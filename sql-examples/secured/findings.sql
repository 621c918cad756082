-- What the laboratory's machine writes, in the name of bert, who may write and define nothing.

INSERT INTO limits (analyte, low, high) VALUES ('potassium', 3.5, 5.1);
INSERT INTO limits (analyte, low, high) VALUES ('sodium', 135, 145);
INSERT INTO findings (tube, patient, ward, analyte, measured) VALUES ('p-1', 'Ines Duarte', 'B2', 'potassium', 4.2);
INSERT INTO findings (tube, patient, ward, analyte, measured) VALUES ('p-2', 'Rui Matos', 'B2', 'potassium', 6.3);
INSERT INTO findings (tube, patient, ward, analyte, measured) VALUES ('p-3', 'Ana Leal', 'C1', 'sodium', 139);
INSERT INTO findings (tube, patient, ward, analyte, measured) VALUES ('p-4', 'Rui Matos', 'B2', 'sodium', 128.5);
