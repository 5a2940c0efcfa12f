/** Three short documents; questions need the first two together, and the third says nothing about them. */
export const FRIDGE_LOG = `Vaccine fridge log, clinic of Nkhotakota, March.
The solar fridge keeps vaccines between 2 and 8 degrees Celsius when its battery is charged.
On 14 March the compressor stopped for six hours because the battery voltage fell below 11.4 volts.
The vaccines were moved to the cold box and none was lost.
`;
export const HANDBOOK = `Maintenance handbook for solar installations.
A lead-acid battery whose voltage falls below 11.4 volts under load must be replaced within thirty days.
Dust on the panels lowers the charge current by a quarter; clean the panels every second week.
Record every replacement in the cooperative's book.
`;
export const HARVEST = `Harvest report of the groundnut growers.
The northern plots gave 1.3 tonnes per hectare after late rain.
Buyers paid a premium for shelled nuts at the district market.
`;
export const QUESTION =
  'Why did the compressor of the vaccine fridge stop, and when must a battery whose voltage falls below 11.4 volts be replaced?';
